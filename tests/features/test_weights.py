from __future__ import annotations

import base64
import functools
import hashlib
import logging
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from support import networks

from edge_classifier.errors import (
    CancelledError,
    DownloadError,
    InvalidValueError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from edge_classifier.features.backbone import choose_backbone
from edge_classifier.features.catalogue import OfficialBackbone, official
from edge_classifier.features.weights import CacheFolders, find_weights, obtain_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge_classifier.features.weights import Weights

CONTENT = b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT, usedforsecurity=False)


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder; announces an MD5 as Google's storage does, save for `plain.h5`."""

    def end_headers(self) -> None:
        if not self.path.endswith("plain.h5"):
            digest = base64.b64encode(MD5.digest()).decode()
            self.send_header("x-goog-hash", f"crc32c=AAAAAA==,md5={digest}")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "good.h5").write_bytes(CONTENT)
    (folder / "plain.h5").write_bytes(CONTENT)
    (folder / "other.h5").write_bytes(CONTENT[:-1] + b"?")
    handler = functools.partial(_Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


@pytest.fixture
def folders(tmp_path: Path) -> CacheFolders:
    return CacheFolders(tmp_path / "own", tmp_path / "keras")


def _backbone(
    server: str, file: str = "good.h5", sha256: str | None = None, md5: str | None = None
) -> OfficialBackbone:
    return replace(official("v2-1.0"), url=f"{server}/{file}", sha256=sha256, md5=md5)


def _obtain(
    backbone: OfficialBackbone,
    folders: CacheFolders,
    given: Path | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Weights:
    return obtain_weights(
        backbone, given=given, folders=folders, progress=lambda *_: None, cancelled=cancelled
    )


def _files(folders: CacheFolders) -> list[str]:
    return sorted(path.name for path in folders.own.rglob("*") if path.is_file())


def test_weights_are_downloaded_once(server: str, folders: CacheFolders) -> None:
    first = _obtain(_backbone(server, sha256=SHA256), folders)
    assert first.path.read_bytes() == CONTENT
    assert first.sha256 == SHA256
    nowhere = replace(_backbone(server, sha256=SHA256), url="http://127.0.0.1:9/good.h5")
    assert _obtain(nowhere, folders) == first


def test_a_file_in_keras_own_cache_is_used(server: str, folders: CacheFolders) -> None:
    folders.keras.mkdir()
    (folders.keras / "good.h5").write_bytes(CONTENT)
    found = _obtain(_backbone(server, sha256=SHA256), folders)
    assert found.path == folders.keras / "good.h5"
    assert not folders.own.exists()


def test_a_damaged_file_in_keras_cache_is_named_and_passed_over(
    server: str, folders: CacheFolders, caplog: pytest.LogCaptureFixture
) -> None:
    folders.keras.mkdir()
    (folders.keras / "good.h5").write_bytes(CONTENT[:-1])
    with caplog.at_level(logging.WARNING):
        found = _obtain(_backbone(server, md5=MD5.hexdigest()), folders)
    assert found.path.parent == folders.weights
    assert str(folders.keras / "good.h5") in caplog.text


@pytest.mark.parametrize("pins", [("0" * 64, None), (None, "0" * 32)])
def test_a_file_of_another_hash_is_refused_and_nothing_is_kept(
    server: str, folders: CacheFolders, pins: tuple[str | None, str | None]
) -> None:
    backbone = _backbone(server, sha256=pins[0], md5=pins[1])
    with pytest.raises(WeightsMismatchError, match=r"expected .* received .*--weights FILE") as e:
        _obtain(backbone, folders)
    assert "\n" not in str(e.value)
    assert _files(folders) == []


def test_without_a_pin_the_servers_own_checksum_must_match(
    server: str, folders: CacheFolders
) -> None:
    with pytest.raises(WeightsMismatchError, match="MD5"):
        _obtain(_backbone(server, "other.h5"), folders)
    assert _files(folders) == []


def test_without_any_checksum_nothing_is_taken(server: str, folders: CacheFolders) -> None:
    with pytest.raises(WeightsMismatchError, match="sent no checksum"):
        _obtain(_backbone(server, "plain.h5"), folders)
    assert _files(folders) == []


def test_without_a_pin_the_first_download_is_recorded_and_checked_ever_after(
    server: str, folders: CacheFolders, caplog: pytest.LogCaptureFixture
) -> None:
    backbone = _backbone(server)
    found = _obtain(backbone, folders)
    assert _files(folders) == ["good.h5", "good.h5.sha256"]
    assert find_weights(backbone, folders) == found
    found.path.write_bytes(CONTENT[:-1] + b"!")
    with caplog.at_level(logging.WARNING):
        assert find_weights(backbone, folders) is None
    assert str(found.path) in caplog.text
    assert _obtain(backbone, folders).path.read_bytes() == CONTENT


def test_a_failed_download_says_what_offline_use_needs(server: str, folders: CacheFolders) -> None:
    with pytest.raises(DownloadError, match=r"v2-1.0 .*404.*needs --weights FILE") as e:
        _obtain(_backbone(server, "gone.h5"), folders)
    assert "\n" not in str(e.value)
    assert _files(folders) == []


def test_a_cancelled_download_leaves_nothing(server: str, folders: CacheFolders) -> None:
    with pytest.raises(CancelledError):
        _obtain(_backbone(server), folders, cancelled=lambda: True)
    assert _files(folders) == []


def test_a_cache_that_cannot_be_written_is_one_clear_line(
    server: str, folders: CacheFolders
) -> None:
    folders.own.write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match="cannot be kept in") as e:
        _obtain(_backbone(server), folders)
    assert "\n" not in str(e.value)


def test_a_given_file_goes_before_any_cache(
    server: str, folders: CacheFolders, tmp_path: Path
) -> None:
    _obtain(_backbone(server), folders)
    given = tmp_path / "mine.h5"
    given.write_bytes(CONTENT[:-1])
    assert _obtain(_backbone(server), folders, given=given).path == given


def test_a_given_file_that_is_absent_is_said_so(folders: CacheFolders, tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFoundError, match=r"nothere\.h5 cannot be read"):
        _obtain(official("v2-1.0"), folders, given=tmp_path / "nothere.h5")


def test_a_given_file_that_is_no_weights_file_is_refused_at_once(
    folders: CacheFolders, tmp_path: Path
) -> None:
    foreign = tmp_path / "photo.jpg"
    foreign.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(WeightsMismatchError, match=r"photo\.jpg is no weights file"):
        _obtain(official("v2-1.0"), folders, given=foreign)


def _unasked(_url: str) -> bool:
    raise AssertionError("the network must not be asked")


def test_auto_takes_cached_official_weights_without_asking_the_network(
    folders: CacheFolders,
) -> None:
    # the true file is not at hand to every test
    default = replace(official("v2-0.35"), sha256=SHA256)
    folders.keras.mkdir()
    (folders.keras / default.file_name).write_bytes(CONTENT)
    choice = choose_backbone(
        "auto",
        weights=None,
        folders=folders,
        built_in=True,
        is_reachable=_unasked,
        default=default,
        tensorflow=True,
    )
    assert choice.name == "v2-0.35"
    assert "on this machine" in choice.reason


def test_auto_takes_reachable_official_weights(folders: CacheFolders) -> None:
    asked: list[str] = []

    def is_reachable(url: str) -> bool:
        asked.append(url)
        return True

    choice = choose_backbone(
        "auto",
        folders=folders,
        built_in=True,
        is_reachable=is_reachable,
        tensorflow=True,
    )
    assert choice.name == "v2-0.35"
    assert asked == [official("v2-0.35").url]


def test_auto_takes_the_built_in_backbone_offline_and_says_why(folders: CacheFolders) -> None:
    choice = choose_backbone(
        "auto",
        folders=folders,
        built_in=True,
        is_reachable=lambda _: False,
        tensorflow=True,
    )
    assert choice.name == "built-in"
    assert "neither here nor within reach" in choice.reason


def test_auto_with_nothing_to_be_had_says_what_offline_use_needs(folders: CacheFolders) -> None:
    with pytest.raises(WeightsNotFoundError, match="offline use needs --weights FILE"):
        choose_backbone(
            "auto",
            folders=folders,
            built_in=False,
            is_reachable=lambda _: False,
            tensorflow=True,
        )


def test_without_tensorflow_auto_takes_the_built_in_backbone_and_asks_no_network(
    folders: CacheFolders,
) -> None:
    """Weights that lie here are no use either: nothing compiles them."""
    default = replace(official("v2-0.35"), sha256=SHA256)
    folders.keras.mkdir()
    (folders.keras / default.file_name).write_bytes(CONTENT)
    choice = choose_backbone(
        folders=folders, built_in=True, is_reachable=_unasked, default=default, tensorflow=False
    )
    assert choice.name == "built-in"
    assert "without TensorFlow" in choice.reason


@pytest.mark.parametrize("pinned", [True, False])
def test_without_tensorflow_auto_takes_official_weights_that_were_compiled_before(
    folders: CacheFolders, *, pinned: bool
) -> None:
    default = replace(official("v2-0.35"), sha256=SHA256 if pinned else None)
    if not pinned:  # then only the weights themselves tell their hash
        folders.keras.mkdir()
        (folders.keras / default.file_name).write_bytes(CONTENT)
    networks.keep_compiled(b"a network", default.name, SHA256, folders)
    choice = choose_backbone(
        folders=folders, built_in=True, is_reachable=_unasked, default=default, tensorflow=False
    )
    assert choice.name == "v2-0.35"
    assert "compiled on this machine" in choice.reason


def test_without_tensorflow_auto_takes_no_other_weights_that_were_compiled(
    folders: CacheFolders,
) -> None:
    networks.keep_compiled(b"a network", "v2-0.35", SHA256, folders)
    choice = choose_backbone(
        folders=folders, built_in=True, is_reachable=_unasked, tensorflow=False
    )
    assert choice.name == "built-in"


def test_without_tensorflow_and_a_built_in_backbone_auto_says_what_is_missing(
    folders: CacheFolders,
) -> None:
    with pytest.raises(
        WeightsNotFoundError, match=r"needs TensorFlow.*edge-classifier\[tensorflow\]"
    ):
        choose_backbone(folders=folders, built_in=False, is_reachable=_unasked, tensorflow=False)


def test_auto_with_a_weights_file_means_the_default_backbone(
    folders: CacheFolders, tmp_path: Path
) -> None:
    choice = choose_backbone(
        "auto",
        weights=tmp_path / "mine.h5",
        folders=folders,
        built_in=True,
        is_reachable=_unasked,
    )
    assert choice.name == "v2-0.35"
    assert "mine.h5" in choice.reason


@pytest.mark.parametrize("name", ["v1-0.25", "built-in"])
def test_a_backbone_asked_for_by_name_stays(folders: CacheFolders, name: str) -> None:
    choice = choose_backbone(
        name, weights=None, folders=folders, built_in=True, is_reachable=_unasked
    )
    assert choice.name == name


def test_a_backbone_that_does_not_exist_is_refused(folders: CacheFolders) -> None:
    with pytest.raises(InvalidValueError, match="received 'resnet'"):
        choose_backbone(
            "resnet", weights=None, folders=folders, built_in=True, is_reachable=_unasked
        )


def test_keras_home_is_honoured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert CacheFolders.of_this_user().keras == tmp_path / "models"
