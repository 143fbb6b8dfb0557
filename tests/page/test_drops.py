"""What visitors drop: received as it should be, or not at all, and added as the session goes on."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import cv2
import pytest
from support.live_session import LiveSession, scene
from support.views import view
from support.visiting import Guest, get, page_on_free_port, wait_until

from edge_classifier.errors import InvalidValueError
from edge_classifier.live.jobs import start_worker
from edge_classifier.live.view import Level
from edge_classifier.page.additions import Additions
from edge_classifier.page.drops import Drop, DropFolder
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import Sample


class Desk:
    """A session with a page, and who teaches there."""

    def __init__(self, folder: Path) -> None:
        self.worker = start_worker()
        self.store = ProjectStore.create(folder / "p", ["mug"])
        self.live = LiveSession(self.store, executor=self.worker)
        self.page = page_on_free_port()
        self.page.attach(self.live.session, self.store)
        self.page.show(view())
        self.guest = Guest(self.page)
        self.guest.see(lambda words: bool(words["you"]["teaching"]))

    def drop(self, body: bytes, name: str, **more: str) -> tuple[int, str]:
        """Send something; returns how it was answered."""
        asked = urlencode({"visitor": self.guest.visitor, "name": name, **more})
        origin = f"http://127.0.0.1:{self.page.port}"
        status, _, text = get(
            self.page, f"/dropped?{asked}", method="POST", body=body, Origin=origin
        )
        return status, text.decode()

    def said(self, what: str) -> str:
        """Let the session go on until it says something; returns all of that line."""

        def says() -> bool:
            self.page.events()
            self.live.frame()
            return what in self.live.message

        wait_until(says)
        return self.live.message

    def left_over(self) -> list[Path]:
        """List what is still kept of what was dropped."""
        return list(self.store.cache_folder.glob("dropped-*/*"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.live.close()
    made.worker.shutdown(wait=True, cancel_futures=True)
    made.page.close()


def png(thing: int) -> bytes:
    return cv2.imencode(".png", scene(thing))[1].tobytes()


def many(files: dict[str, bytes]) -> bytes:
    """Send several files in one body, as the page does."""
    return b"".join(
        json.dumps({"path": path, "size": len(data)}).encode() + b"\n" + data
        for path, data in files.items()
    )


def test_a_folder_is_added_with_what_it_holds_out(desk: Desk) -> None:
    files = {f"train/cup/{n}.png": png(n) for n in range(3)}
    files |= {f"train/spoon/{n}.png": png(10 + n) for n in range(2)}
    files |= {"validation/cup/v.png": png(20), "train/cup/notes.txt": b"left alone"}
    assert desk.drop(many(files), "table", many="1") == (202, "")
    assert desk.said("table") == "table: 6 pictures added (1 of them held out)"
    assert desk.store.class_names() == ("mug", "cup", "spoon")
    assert len(desk.store.held_out()) == 1
    assert desk.left_over() == []
    assert "dropped-" not in (desk.store.path / "sources.jsonl").read_text()


def test_the_session_learns_what_was_added_and_undoes_it(desk: Desk) -> None:
    for name, thing in (("one", 1), ("two", 2)):
        files = {f"{n}.png": png(100 * thing + n) for n in range(6)}
        assert desk.drop(many(files), name, many="1", **{"class": name})[0] == 202
        desk.said(f"{name}: 6 pictures added")
    wait_until(lambda: desk.live.frame().banner is not None)
    assert desk.live.counts == [0, 6, 6]
    desk.live.type("u")
    assert sum(desk.live.counts) == 11


def test_a_picture_on_a_class_is_added_to_it_and_what_is_there_already_is_not_added_twice(
    desk: Desk,
) -> None:
    for what in ("1 picture added", "0 pictures added, 1 there already"):
        assert desk.drop(png(1), "IMG_1234.png", **{"class": "mug"})[0] == 202
        assert what in desk.said(what)
    assert len(desk.store.samples()) == 1


def test_an_archive_a_table_and_their_refusals_are_as_with_add(desk: Desk, tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / "z" / "fork").mkdir(parents=True, exist_ok=True)
        (tmp_path / "z" / "fork" / f"{number}.png").write_bytes(png(number))
    (tmp_path / "z" / "fork" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    archive = Path(shutil.make_archive(str(tmp_path / "forks"), "zip", tmp_path / "z"))
    desk.drop(archive.read_bytes(), "forks.zip")
    line = desk.said("forks")
    assert line.startswith("forks: 2 pictures added, 1 refused (")
    assert "dropped-" not in line
    table = b"file,label\na.png,knife\nb.png,plate\n"
    desk.drop(many({"labels.csv": table, "a.png": png(5), "b.png": png(6)}), "dropped", many="1")
    desk.said("2 pictures added")
    assert set(desk.store.class_names()) >= {"knife", "plate"}


@pytest.mark.parametrize("name", ["notes.txt", "empty.zip", "clip.avi", "../../x", "", "\0"])
def test_what_cannot_be_imported_is_told_in_one_line_and_removed(desk: Desk, name: str) -> None:
    assert desk.drop(b"nothing of use", name)[0] == 202

    def is_refused() -> bool:
        desk.page.events()
        message = desk.live.frame().message
        return message is not None and message.level is Level.ERROR

    wait_until(is_refused)
    assert "dropped-" not in desk.live.message
    assert desk.left_over() == []
    assert desk.store.samples() == ()


@pytest.mark.parametrize(
    "path", ["../../../evil.png", "/etc/evil.png", "C:\\evil.png", "a/../../b/evil.png", "x" * 5000]
)
def test_names_in_what_was_dropped_lead_nowhere_outside(
    desk: Desk, tmp_path: Path, path: str
) -> None:
    before = {p for p in tmp_path.rglob("*") if "evil" in p.name}
    assert desk.drop(many({path: png(1)}), "folder", many="1", **{"class": "mug"})[0] == 202
    desk.said("folder")
    assert {p for p in tmp_path.rglob("*") if "evil" in p.name} == before


@pytest.mark.parametrize(
    "body",
    [
        b"no line",
        b"{}\n",
        b'{"path": "a.png", "size": -1}\n',
        b'{"path": "a.png", "size": 1e400}\n',
        b'{"path": "a.png", "size": 99}\ntoo short',
        b"[" * 9000 + b"\n",
        b"x" * 100_000,
    ],
)
def test_what_comes_in_parts_that_make_no_sense_is_refused_and_removed(
    desk: Desk, body: bytes
) -> None:
    status, line = desk.drop(body, "folder", many="1")
    assert status == 400
    assert line.startswith("What was dropped")
    assert desk.left_over() == []


def test_what_is_exported_is_offered_as_an_archive_the_newest_only(
    desk: Desk, tmp_path: Path
) -> None:
    assert get(desk.page, "/bundle.zip")[0] == 404
    for number in (1, 2):
        bundle = tmp_path / f"mugs-{number}"
        (bundle / "edge_device").mkdir(parents=True)
        (bundle / "edge_device" / "cli.py").write_text(f"# {number}")
        desk.page.offer(bundle)
        name = f"mugs-{number}.zip"
        desk.guest.see(lambda words, name=name: words["you"]["download"] == name)  # type: ignore[misc]  # of this round
        status, headers, body = get(desk.page, "/bundle.zip")
        assert (status, headers["content-type"]) == (200, "application/zip")
        assert name in headers["content-disposition"]
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            assert archive.read(f"mugs-{number}/edge_device/cli.py") == f"# {number}".encode()
    assert len(desk.left_over()) == 1


def test_a_drop_of_more_files_than_an_archive_may_hold_is_refused(tmp_path: Path) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield many({f"{number}.png": b"" for number in range(4)})

    async def receive() -> None:
        await folder.receive("table", body(), class_name=None, many=True)

    folder = DropFolder(tmp_path, most_files=3)
    with pytest.raises(InvalidValueError, match="More than 3 files were dropped"):
        asyncio.run(receive())
    folder.close()
    assert list(tmp_path.iterdir()) == []


def test_a_second_program_that_may_only_read_leaves_what_was_dropped_on_the_first(
    desk: Desk,
) -> None:
    with ProjectStore.open_as_possible(desk.store.path) as store:
        assert store.read_only
        page = page_on_free_port()
        page.attach(LiveSession(store).session, store)
        page.close()
    assert desk.drop(png(1), "IMG.png", **{"class": "mug"}) == (202, "")
    desk.said("IMG: 1 picture added")


class Ailing:
    """A project on a disk that fails where nobody expects it."""

    def __init__(self, store: ProjectStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def samples(self) -> tuple[Sample, ...]:
        raise OSError(5, "Input/output error")


def test_an_unexpected_failure_while_adding_is_told_and_keeps_nobody_waiting(desk: Desk) -> None:
    additions = Additions(desk.live.session, cast("ProjectStore", Ailing(desk.store)))
    folder = desk.store.path.parent / "drop"
    folder.mkdir()
    (folder / "a.png").write_bytes(png(1))
    additions.add(Drop(folder, folder / "a.png", "mug"))

    def is_told() -> bool:
        additions.poll()
        desk.live.frame()
        return "Input/output error" in desk.live.message

    wait_until(is_told)
    additions.close()


def test_what_was_left_behind_by_a_program_that_was_killed_is_removed(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "p") as store:
        old = store.cache_folder / "dropped-old"
        old.mkdir(parents=True)
        page = page_on_free_port()
        page.attach(LiveSession(store).session, store)
        assert not old.exists()
        page.close()
    assert not list((tmp_path / "p").rglob("dropped-*"))


def test_closing_while_something_is_being_added_ends_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.drop(many({f"{n}.png": png(n) for n in range(50)}), "x", many="1", **{"class": "mug"})
    wait_until(lambda: desk.page.events() == [] and bool(desk.live.session.unfinished))
    desk.live.session.close()
    desk.worker.shutdown(wait=True, cancel_futures=True)
    desk.page.close()
    desk.store.close()
    with ProjectStore.open(tmp_path / "p") as store:
        assert len(store.samples()) < 50
