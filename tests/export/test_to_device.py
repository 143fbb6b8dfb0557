"""`export --to`: a bundle on another machine, by a real sshd."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.answers import wait_until
from support.mounts import small_disk
from support.small_bundle import NAMES, write_bundle
from support.ssh_server import HOST, MISSING, REASON, SshServer

from edge_classifier.commands.cli import main
from edge_classifier.device.bundle import Bundle
from edge_classifier.errors import ExportError, InvalidValueError
from edge_classifier.export.bundle import write_device, write_texts
from edge_classifier.export.to_device import Place, copy_to_device
from edge_classifier.protocols import ignore_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

by_ssh = pytest.mark.usefixtures("server")
ODD = 'it\'s "my" $HOME; `date`, växt*'


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    if MISSING:
        pytest.skip(REASON)
    server = SshServer(tmp_path_factory.mktemp("ssh"))
    yield server
    server.close()


@pytest.fixture
def server(sshd: SshServer, monkeypatch: pytest.MonkeyPatch) -> SshServer:
    """The other machine; `ssh` leads there."""
    sshd.configure()
    monkeypatch.setenv("PATH", f"{sshd.bin}{os.pathsep}{os.environ['PATH']}")
    return sshd


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_bundle(tmp_path_factory.mktemp("here") / "bundle")
    write_device(folder)
    write_texts(folder, name="colours", class_names=NAMES)
    return folder


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """The folder of the other machine, with the Python of its bundle as the README makes it."""
    return with_python(tmp_path / "pi" / ODD)


def with_python(folder: Path, options: str = "") -> Path:
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {options} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return folder


def copied(bundle: Path, folder: Path | str) -> str:
    return copy_to_device(bundle, Place.parse(f"{HOST}:{folder}"), ignore_progress)


def refused(bundle: Path, folder: Path) -> str:
    with pytest.raises(ExportError) as caught:
        copied(bundle, folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("text", "host", "folder"),
    [
        ("pi:classifier", "pi", "./classifier"),
        ("me@pi.local:/srv/a b/", "me@pi.local", "/srv/a b"),
        ("me@[fe80::1%eth0]:~/x", "me@fe80::1%eth0", "./x"),
        ("[::1]:x:y", "::1", "./x:y"),
        ("pi:-rf", "pi", "./-rf"),
    ],
)
def test_a_place_is_read_as_scp_reads_it(text: str, host: str, folder: str) -> None:
    place = Place.parse(text)
    assert (place.host, place.folder) == (host, folder)


@pytest.mark.parametrize(
    "text",
    [
        "pi",
        "pi:",
        "pi:/",
        "pi:~",
        "pi:~/",
        "pi:a/..",
        ":x",
        "-oProxyCommand=x:y",
        "-l@pi:x",
        "a\nb:c",
    ],
)
def test_what_can_be_no_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match=r"expected \[user@\]host:DIR"):
        Place.parse(text)


@by_ssh
def test_a_bundle_takes_the_place_of_another_one_verified_and_what_is_not_ours_stays(
    bundle: Path, there: Path, tmp_path: Path
) -> None:
    assert "3 of 3 labels equal" in copied(bundle, there)
    ours = content(bundle)
    assert {name: there.joinpath(name).read_bytes() for name in ours} == ours
    (there / "my log.csv").write_text("mine", encoding="utf-8")
    (there / "adaptation-state.npz").write_bytes(b"of the old one")
    (there / "model-int8.tflite").write_bytes(b"which the new one has not")
    newer = shutil.copytree(bundle, tmp_path / "newer")
    write_texts(newer, name="newer", class_names=NAMES)
    copied(newer, there)
    mine = {"my log.csv": b"mine", ".venv/bin/python": (there / ".venv/bin/python").read_bytes()}
    assert content(there) == content(newer) | mine
    assert [path.name for path in there.parent.iterdir()] == [ODD]
    assert Bundle.open(there).class_names == NAMES


def test_what_cannot_be_is_told_in_one_line_and_the_old_one_stays(
    server: SshServer, bundle: Path, there: Path, tmp_path: Path
) -> None:
    shutil.copytree(bundle, there, dirs_exist_ok=True)
    before = content(there.parent)
    wrong = shutil.copytree(bundle, tmp_path / "wrong")
    spec = json.loads((wrong / "spec.json").read_bytes())
    spec["references"][0]["scores"]["float32"].reverse()
    (wrong / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    assert "does not answer there as here (float32" in refused(wrong, there)
    server.configure(key="other")
    assert "cannot be reached by ssh (" in (line := refused(bundle, there))
    assert "Permission denied (publickey)" in line
    server.configure(host_key="other")
    assert "Host key verification failed" in refused(bundle, there)
    server.configure(HostName="nowhere.invalid")
    assert "cannot be reached by ssh (" in refused(bundle, there)
    assert content(there.parent) == before


@by_ssh
def test_a_machine_without_the_runtime_says_what_to_install(bundle: Path, tmp_path: Path) -> None:
    folder = with_python(tmp_path / "pi", "-I -S")
    line = refused(bundle, folder)
    assert f"{HOST} lacks numpy, cv2, ai_edge_litert; there: python3 -m venv {folder}/.venv" in line
    assert line.endswith("/.venv/bin/pip install ai-edge-litert numpy opencv-python")
    assert list(content(tmp_path / "pi")) == [".venv/bin/python"]


@by_ssh
@pytest.mark.parametrize("is_file", [True, False])
def test_something_else_is_not_replaced(bundle: Path, tmp_path: Path, *, is_file: bool) -> None:
    path = tmp_path / "pi"
    if not is_file:
        path.mkdir()
        path /= ".profile"
    path.write_text("mine", encoding="utf-8")
    assert "holds something else than a bundle" in refused(bundle, tmp_path / "pi")
    assert path.read_text(encoding="utf-8") == "mine"


@by_ssh
def test_a_full_disk_is_told(bundle: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 200) as disk:
        assert "cannot be written (tar: " in (line := refused(bundle, disk / "x"))
        assert "No space left on device" in line
        assert not list(disk.iterdir())


@by_ssh
def test_a_copy_that_is_cancelled_leaves_the_old_one_and_nothing_else(
    bundle: Path, there: Path
) -> None:
    shutil.copytree(bundle, there, dirs_exist_ok=True)
    before = content(there.parent)

    def cancel(done: float, _what: str | None = None, /) -> None:
        if done > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_to_device(bundle, Place.parse(f"{HOST}:{there}"), cancel)
    wait_until(lambda: len(list(there.parent.iterdir())) == 1)
    assert content(there.parent) == before


@by_ssh
def test_a_replacement_that_was_cut_short_is_ended_by_the_next_one(
    bundle: Path, there: Path
) -> None:
    shutil.copytree(bundle, there, dirs_exist_ok=True)
    (there / "mine").write_text("mine", encoding="utf-8")
    there.rename(there.with_name(f".{ODD}-0123abcd-old"))
    copied(bundle, there)
    assert (there / "mine").exists()
    assert [path.name for path in there.parent.iterdir()] == [ODD]


@by_ssh
def test_what_cannot_be_moved_along_keeps_nothing_else_back_and_no_later_copy(
    bundle: Path, there: Path
) -> None:
    shutil.copytree(bundle, there, dirs_exist_ok=True)
    (there / "two\nlines").write_text("mine", encoding="utf-8")
    with small_disk(there / "data", 1024):
        line = refused(bundle, there)
        assert "has the new bundle, but not all that was beside the old one could be moved" in line
        assert (there / ".venv").exists()
        assert (there / "two\nlines").exists()
        assert "3 of 3 labels equal" in copied(bundle, there)
        assert (there / ".venv").exists()
        (old,) = (path for path in there.parent.iterdir() if path != there)
        shutil.rmtree(there)
        old.rename(there)


@by_ssh
def test_the_command_exports_and_copies(
    taught_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = with_python(tmp_path / "pi")
    here = ["-o", str(tmp_path / "bundle")]
    assert main(["export", str(taught_project), *here, "--to", f"{HOST}:{there}"]) == 0
    said = capsys.readouterr().err
    assert f"The bundle is in {HOST}:{there}, verified there: float32 " in said
    assert (there / "classify.py").exists()


def test_a_place_that_is_none_is_told_before_anything_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["export", str(tmp_path), "--to", "pi"])
    assert "expected [user@]host:DIR" in capsys.readouterr().err
    assert main(["export", str(tmp_path), "--to", "pi:x", "--format", "onnx"]) == 2
