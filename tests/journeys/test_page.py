"""The whole thing from a browser: a real server, real Chromium, fingers and cameras."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import pytest
from support.chromium import Visit, chromium, thing_film
from support.live_session import scene

from edge_classifier.project.store import ProjectStore

pytestmark = pytest.mark.slow


@contextmanager
def live(
    project: Path, *options: str, host: str = "127.0.0.1"
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the command with a page on a free port; gives its address."""
    command = [sys.executable, "-m", "edge_classifier", "live", str(project)]
    command += ["--browser", f"{host}:0", "--backbone", "built-in", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own interpreter
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            found = re.fullmatch(r"Page: (http://\S+)\n", line)
            assert found, line
            yield found[1], process
        finally:
            process.terminate()


def pictures(folder: Path, thing: int, count: int) -> None:
    folder.mkdir(parents=True)
    for index in range(count):
        cv2.imwrite(str(folder / f"{index}.png"), scene(thing, index))


def add_class(visit: Visit, name: str) -> None:
    visit.button("Add class").click()
    visit.page.get_by_role("textbox").fill(name)
    visit.page.keyboard.press("Enter")
    visit.wait_for_count(name, 0)


def choose_part(visit: Visit, begin: tuple[float, float], end: tuple[float, float]) -> None:
    visit.button("More").click()
    visit.button("Part of picture").click()
    visit.button("Whole picture").wait_for()
    before = visit.page.locator("#picture").get_attribute("data-region")
    visit.drag("#picture", begin, end)
    visit.wait_for("(was) => document.querySelector('#picture').dataset.region !== was", before)
    visit.button("OK").click()


def test_two_phones_teach_one_project_and_take_it_home(tmp_path: Path) -> None:
    project = tmp_path / "things"
    films = [thing_film(tmp_path / f"{thing}.mjpeg", thing) for thing in (1, 2)]
    with live(project, "--source", "browser") as (url, _), chromium(*films) as browsers:
        mine = Visit(browsers[0], url, phone=True)
        mine.hold("class 1", 12, button="Hold: first class")
        mine.button("Rename class 1").click()
        mine.compose("mug", typed="mug")
        mine.page.keyboard.press("Enter")
        mine.wait_for_count("mug", 12)

        other = Visit(browsers[1], url)
        other.wait_for_count("mug", 12)
        assert other.page.get_by_text("Another visitor teaches; you watch.").is_visible()
        other.button("Teach here").click()
        add_class(other, "phone")
        other.hold("phone", 12)
        for visit in (mine, other):
            visit.wait_for_label("phone")
        mine.button("Teach here").click()
        for visit in (mine, other):
            visit.wait_for_label("mug")

        mine.button("Rename mug").click()
        mine.compose("マグカップ", typed="まぐかっぷ")
        mine.page.keyboard.press("Enter")
        mine.wait_for_label("マグカップ")

        count = mine.count("マグカップ")
        mine.hold("マグカップ", count + 3)
        mine.button("Undo").click()
        mine.wait_for_count("マグカップ", count)
        mine.page.reload()
        mine.wait_for_label("マグカップ")
        assert mine.count("マグカップ") == count
        assert not mine.page.get_by_text("you watch").is_visible(), "it goes on teaching"

        choose_part(mine, (0.25, 0.1), (0.95, 0.9))
        mine.button("Export").click()
        with mine.page.expect_download() as download:
            mine.page.get_by_role("link", name="Download").click()
        archive = tmp_path / "bundle.zip"
        download.value.save_as(archive)
        assert not mine.errors + other.errors
    with ProjectStore.open(project) as store:
        assert store.class_names() == ("マグカップ", "phone")
        edges = store.settings["framing"]["region"]
        assert all(0.5 < last - first < 1 for first, last in zip(edges[:2], edges[2:], strict=True))
    with zipfile.ZipFile(archive) as bundle:
        bundle.extractall(tmp_path / "home")
    (program,) = (tmp_path / "home").glob("*/classify.py")
    verified = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, str(program), "--verify"], capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stderr


def test_folders_and_archives_are_dropped_into_the_picture_and_on_a_class(tmp_path: Path) -> None:
    for number, name in enumerate(("cup", "spoon")):
        pictures(tmp_path / "table" / "train" / name, number, 3)
        pictures(tmp_path / "table" / "valid" / name, number + 10, 2)
        pictures(tmp_path / "more" / "more" / name, number + 20, 2)
    archive = Path(shutil.make_archive(str(tmp_path / "more"), "zip", tmp_path / "more"))
    pictures(tmp_path / "pot", 5, 2)
    project = tmp_path / "kitchen"
    film = thing_film(tmp_path / "film.mjpeg", 1)
    with live(project, "--source", "demo") as (url, _), chromium(film) as (browser,):
        visit = Visit(browser, url)
        visit.wait_for("() => document.getElementById('activity-text').textContent")
        visit.drop("#picture", tmp_path / "table")
        visit.wait_for_count("spoon", 3)
        visit.drop("#picture", archive)
        visit.wait_for_count("spoon", 5)
        visit.drop(".card:first-child", *sorted((tmp_path / "pot").iterdir()))
        visit.wait_for_count("cup", 7)
        assert not visit.errors
    with ProjectStore.open(project) as store:
        assert len(store.samples()) == 12
        assert len(store.held_out()) == 4


def test_a_phone_elsewhere_needs_the_token_once_and_https_for_its_camera(tmp_path: Path) -> None:
    film = thing_film(tmp_path / "film.mjpeg", 1)
    project = tmp_path / "p"
    with (
        live(project, "--source", "browser", host="0.0.0.0") as (url, process),  # noqa: S104 - what is tried
        chromium(film) as (browser,),
    ):
        address, _, token = url.partition("?")
        assert token
        visit = Visit(browser, url, phone=True)
        line = "browsers give it to https pages only; start with --https"
        visit.page.get_by_text(line).wait_for()
        assert visit.page.url == address, "the token is out of the address"
        visit.page.goto(address)
        visit.page.get_by_text(line).wait_for()
        assert not visit.errors
        stranger = browser.new_page()
        stranger.goto(address)
        assert "needs its token" in stranger.inner_text("body")
        process.terminate()
        assert process.stderr is not None
        assert f"Page: The camera of this device cannot be used: {line}.\n" in process.stderr.read()
