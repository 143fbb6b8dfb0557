"""The page as a display of a session."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import sys
import zipfile
from typing import TYPE_CHECKING, Final

from edge_classifier.device.console import say
from edge_classifier.device.outputs.addresses import host_and_port, is_this_machine
from edge_classifier.languages.language import ENGLISH, Language
from edge_classifier.live.display import CLOSE, Press, Release
from edge_classifier.live.translation import in_language
from edge_classifier.page.access import new_token
from edge_classifier.page.additions import Additions
from edge_classifier.page.camera import BrowserCamera
from edge_classifier.page.server import PageServer, listen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge_classifier.live.display import Event
    from edge_classifier.live.session import Session
    from edge_classifier.live.view import View
    from edge_classifier.project.store import ProjectStore

OPTION: Final = "--browser"


class Page:
    """Shows views to whoever looks on, and hears whoever of them teaches.

    Args:
        address: `HOST:PORT`; beyond this machine it can be opened with a token only.
        certificate: Files of certificate and key to serve it by https, or `None`.
        with_camera: Whether frames come from the visitor who teaches.
        ask_s: For how many seconds somebody who connects may take to say what is wanted.
        language: What all visitors read; English if not given.

    Attributes:
        camera: That visitor's camera, or `None`.
        url: Where to open it, with the token.

    Raises:
        InvalidOptionError: if the address can be none, or cannot be used now.
    """

    def __init__(
        self,
        address: str,
        *,
        certificate: tuple[Path, Path] | None = None,
        with_camera: bool = False,
        ask_s: float = 10.0,
        language: Language | None = None,
    ) -> None:
        host, port = host_and_port(OPTION, address)
        self._language = language or Language.load(ENGLISH)
        self.camera = BrowserCamera() if with_camera else None
        self.is_here_only = is_this_machine(host)
        token = None if self.is_here_only else new_token()
        self._server = PageServer(
            listen(host, port, OPTION),
            host=host,
            token=token,
            certificate=certificate,
            camera=self.camera,
            ask_s=ask_s,
            language=self._language.code,
        )
        self._additions: Additions | None = None
        self._offers = 0
        self._closed = False
        scheme = "https" if certificate else "http"
        query = f"?token={token}" if token else ""
        self.url = f"{scheme}://{_name_for_others(host)}:{self._server.port}/{query}"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    def attach(self, session: Session, store: ProjectStore, *, follow_camera: bool = False) -> None:
        """Add what is dropped to a project from now on, while its session goes on.

        `follow_camera` mirrors the picture as it suits the teacher's camera: of a phone's two, only
        that beside the screen is a mirror.
        """
        if follow_camera:

            def mirror(mirrored: bool) -> None:  # noqa: FBT001 - all there is to say
                session.mirrored = mirrored

            self._server.visitors.on_camera = mirror
        self._additions = self._server.additions = Additions(session, store)

    def offer(self, bundle: Path) -> None:
        """Have a bundle's folder downloaded from now on; from the worker's thread."""
        if self._additions is None:
            return
        self._offers += 1
        archive = self._additions.folder.path / f"bundle-{self._offers}" / f"{bundle.name}.zip"
        try:
            archive.parent.mkdir()
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
                for path in sorted(bundle.rglob("*")):
                    packed.write(path, path.relative_to(bundle.parent))
        except OSError as error:  # the bundle is there all the same
            say(f"Page: {bundle.name} cannot be packed to be downloaded ({error.strerror}).")
            return
        before, self._server.bundle = self._server.bundle, archive
        self._server.visitors.download = archive.name
        self._server.wake()
        if before:
            shutil.rmtree(before.parent, ignore_errors=True)

    def show(self, view: View) -> None:
        """Make a view the newest one; it is encoded only if somebody looks on."""
        self._server.visitors.newest = in_language(view, self._language)
        self._server.wake()

    def events(self) -> Sequence[Event]:
        """Return what was pressed and let go since the last call, the oldest first."""
        if self._additions:
            self._additions.poll()
        heard = self._server.visitors.heard
        events = [heard.popleft() for _ in range(len(heard))]
        if self._closed or not self._server.alive:
            events += [Press(CLOSE), Release(CLOSE)]
        return events

    def close(self) -> None:
        """Stop serving; may be called twice."""
        if not self._closed:
            self._closed = True
            self._server.close()
            if self._additions:
                self._additions.close()


def qr_code(url: str) -> str:
    """Draw an address for the camera of a phone, in characters of a terminal."""
    import io  # noqa: PLC0415 - for this only

    import segno  # noqa: PLC0415 - likewise

    drawn = io.StringIO()
    segno.make(url, error="l").terminal(drawn, border=1, compact=True)
    return drawn.getvalue()


def can_open_browser() -> bool:
    """Say whether somebody is at this machine, with a desktop and a terminal."""
    if not sys.stdout.isatty():
        return False
    has_desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform != "linux" or bool(has_desktop)


def _name_for_others(host: str) -> str:
    """Give the name by which others reach an address of this machine."""
    try:
        is_any = ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        is_any = False
    return own_address() if is_any else host


def own_address() -> str:
    """Find the address by which others in the network most likely reach this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # for documentation: nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
