from __future__ import annotations

import shutil
import ssl
import urllib.request
from pathlib import Path

import pytest

from edge_classifier.errors import InvalidOptionError
from edge_classifier.page.certificate import certificate_for
from edge_classifier.page.display import Page


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_certificate_of_our_own_is_made_once_and_serves_this_machine_by_https(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate, key = certificate_for([], tmp_path / "page")
    made = certificate.read_bytes()
    assert certificate_for([], tmp_path / "page") == (certificate, key)
    assert certificate.read_bytes() == made
    assert key.stat().st_mode & 0o077 == 0, "nobody else reads the key"
    assert "a browser warns once" in capsys.readouterr().err

    page = Page("127.0.0.1:0", certificate=certificate_for([certificate, key]))
    trusting = ssl.create_default_context(cafile=str(certificate))
    assert page.url == f"https://127.0.0.1:{page.port}/"
    with urllib.request.urlopen(page.url, context=trusting, timeout=20) as answer:  # noqa: S310 - https, as said
        assert answer.status == 200
    page.close()


def test_files_that_are_no_certificate_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.pem").write_text("no certificate")
    with pytest.raises(InvalidOptionError, match=r"--https: there is no file .*gone.pem"):
        certificate_for([tmp_path / "gone.pem"])
    with pytest.raises(InvalidOptionError, match=r"mine.pem is no certificate in PEM format"):
        certificate_for([tmp_path / "mine.pem"])
    with pytest.raises(InvalidOptionError, match="a certificate and its key"):
        certificate_for([tmp_path / "mine.pem"] * 3)


def test_where_there_is_no_openssl_it_is_said_what_else_can_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidOptionError, match="or name a certificate and its key"):
        certificate_for([], tmp_path / "page")
