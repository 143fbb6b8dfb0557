"""`live --browser`: the session as a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edge_classifier.commands.options import language_of_window
from edge_classifier.device.console import say
from edge_classifier.errors import InvalidOptionError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from edge_classifier.device.frame import FrameSource
    from edge_classifier.export.exporter import Export
    from edge_classifier.page.display import Page

CAMERA: Final = "browser"
"""The source that is the camera of whoever teaches from the page."""
_ADDRESS: Final = "127.0.0.1:8080"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the page."""
    group = parser.add_argument_group("in a browser")
    group.add_argument(
        "--browser",
        nargs="?",
        const=_ADDRESS,
        metavar="HOST:PORT",
        help="show a page instead of the window, for this machine's browser "
        f"(default: {_ADDRESS}) or, as 0.0.0.0:8080, for whoever has its token",
    )
    group.add_argument(
        "--https",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="serve the page by https, as a phone's camera needs it: with your certificate and its "
        "key, or with one of our own that browsers warn of once",
    )


def check(options: argparse.Namespace) -> None:
    """Refuse options that make no sense together.

    Raises:
        InvalidOptionError: if they do not.
    """
    if options.browser is None and options.source == CAMERA:
        raise InvalidOptionError("--source browser needs a page: add --browser.")
    if options.browser is None and options.https is not None:
        raise InvalidOptionError("--https is for the page: add --browser.")


def open_page(options: argparse.Namespace) -> Page | None:
    """Serve the page, if it is asked for, and say where."""
    if options.browser is None:
        return None
    # The server is imported by whoever wants one.
    from edge_classifier.page.certificate import certificate_for  # noqa: PLC0415
    from edge_classifier.page.display import Page, can_open_browser, qr_code  # noqa: PLC0415

    certificate = None if options.https is None else certificate_for(options.https)
    page = Page(
        options.browser,
        certificate=certificate,
        with_camera=options.source == CAMERA,
        language=language_of_window(options),
    )
    say(f"Page: {page.url}")
    if not page.is_here_only:
        say("Whoever opens this address can teach; it is another one at each start.")
        code = qr_code(page.url)
        if _can_show(code):
            for line in code.splitlines():  # each of its own: what is said is one line
                say(line)
    elif can_open_browser():
        import webbrowser  # noqa: PLC0415 - for this only

        webbrowser.open(page.url)
    return page


def _can_show(text: str) -> bool:
    """Say whether the terminal has these characters; in others they would be escapes."""
    try:
        text.encode(getattr(sys.stderr, "encoding", None) or "ascii")
    except (UnicodeError, LookupError):
        return False
    return True


def source(page: Page | None) -> tuple[str, Callable[[], FrameSource]] | None:
    """Return the name of the visitors' camera and what opens it, if frames come from there."""
    if page is None or page.camera is None:
        return None
    return page.camera.name, page.camera.open


def offering(export: Export, page: Page | None) -> Export:
    """Have a page offer what is exported for download."""
    if page is None:
        return export

    def export_and_offer(*job: Any) -> Path:  # noqa: ANN401 - as `Export` says
        bundle = export(*job)
        page.offer(bundle)
        return bundle

    return export_and_offer
