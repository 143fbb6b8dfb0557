"""Chromium, driven by Playwright: real pages, real fingers, and a camera that shows a file."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from support.live_session import scene

NAMES = ("chromium", "chromium-browser", "google-chrome")
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
PATIENCE_S = 30


def thing_film(path: Path, thing: int, frames: int = 30) -> Path:
    """Write a film for Chromium's camera: a thing that moves a little, with a sensor's noise."""
    generator = np.random.default_rng(thing)
    with path.open("wb") as file:
        for index in range(frames):
            picture = cv2.resize(scene(thing, index), (320, 240), interpolation=cv2.INTER_NEAREST)
            noise = generator.integers(-6, 7, picture.shape)
            noisy = np.clip(picture + noise, 0, 255).astype(np.uint8)
            file.write(cv2.imencode(".jpg", noisy)[1].tobytes())
    return path


@contextmanager
def chromium(*cameras: Path) -> Iterator[list[Any]]:
    """Start one for each film, which its camera shows, with leave to use it.

    Gives what Playwright calls browsers.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("Chromium is not installed (apt install chromium)")
    with playwright.sync_playwright() as driver:
        browsers = [
            driver.chromium.launch(
                executable_path=program,
                args=[
                    "--no-sandbox",
                    "--use-fake-ui-for-media-stream",
                    "--use-fake-device-for-media-stream",
                    f"--use-file-for-fake-video-capture={camera}",
                ],
            )
            for camera in cameras
        ]
        try:
            yield browsers
        finally:
            for browser in browsers:
                browser.close()


class Visit:
    """A tab with the page, touched and read as by a person."""

    def __init__(
        self, browser: Any, url: str, *, phone: bool = False, scheme: str = "light"
    ) -> None:
        size = PHONE if phone else DESK
        self.context = browser.new_context(viewport=size, has_touch=phone, color_scheme=scheme)
        self.context.set_default_timeout(PATIENCE_S * 1000)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.goto(url)
        self._devtools = self.context.new_cdp_session(self.page)

    def wait_for(self, condition: str, argument: object = None) -> None:
        """Wait until something is so in the page."""
        self.page.wait_for_function(condition, arg=argument, polling=50)

    def wait_for_label(self, label: str) -> None:
        """Wait until the page says this of what the camera shows."""
        self.wait_for("l => document.getElementById('label').textContent === l", label)

    def wait_for_count(self, name: str, least: int) -> None:
        """Wait until a class has so many pictures at least."""
        self.wait_for(
            "([name, least]) => [...document.querySelectorAll('.card')].some(c => "
            "c.querySelector('.name').textContent === name && "
            "parseInt(c.querySelector('.count').textContent) >= least)",
            [name, least],
        )

    def count(self, name: str) -> int:
        """Say how many pictures a class has."""
        card = self.page.locator(".card", has=self.page.get_by_text(name, exact=True))
        return int(card.locator(".count").inner_text().split()[0])

    def button(self, name: str) -> Any:
        """Find a button by its name, as a screen reader does."""
        return self.page.get_by_role("button", name=name, exact=True)

    def hold(self, name: str, until: int, *, button: str = "") -> None:
        """Hold a class's button, or another one, with a finger until it has so many pictures.

        A person who sees that nothing is recorded, as there is no live picture, tries again.
        """
        deadline_s = time.monotonic() + PATIENCE_S
        recording = self.page.locator(".card.recording")
        while True:
            box = self.button(button or f"Hold to record {name}").bounding_box()
            self._touch(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            self.page.wait_for_timeout(300)
            if recording.count() or time.monotonic() > deadline_s:
                break
            self._touch()
        self.wait_for_count(name, until)
        self._touch()

    def drag(self, selector: str, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw a finger over something, from and to parts of its width and height."""
        box = self.page.locator(selector).bounding_box()
        for x, y in (begin, end):
            at = box["x"] + x * box["width"], box["y"] + y * box["height"]
            self._touch(*at, kind="touchStart" if (x, y) == begin else "touchMove")
        self._touch()

    def _touch(self, *at: float, kind: str = "touchStart") -> None:
        """Put a finger down somewhere, or take it away."""
        points = [{"x": at[0], "y": at[1]}] if at else []
        kind = kind if at else "touchEnd"
        self._devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def compose(self, text: str, typed: str) -> None:
        """Type by an input method: it shows letters first, then what they become."""
        self.wait_for("() => document.activeElement.id === 'prompt-text'")
        self._devtools.send(
            "Input.imeSetComposition",
            {"text": typed, "selectionStart": len(typed), "selectionEnd": len(typed)},
        )
        self._devtools.send("Input.insertText", {"text": text})

    def drop(self, selector: str, *paths: Path) -> None:
        """Drop files and folders from the desktop on a part of the page."""
        box = self.page.locator(selector).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self._devtools.send(
                "Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data}
            )
