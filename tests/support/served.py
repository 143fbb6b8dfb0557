"""A classifier that is served, and who asks it by HTTP."""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.page import LivePage
from edge_classifier.device.outputs.service import Service
from edge_classifier.device.turns import Turns
from edge_classifier.device.verdict import Prediction
from support import exported_project
from support.exported_project import CLASSES

if TYPE_CHECKING:
    from edge_classifier.device.classifier import Classifier


class Served:
    """A service at an address of this machine, and who asks it."""

    def __init__(self, classifier: Classifier, *, with_camera: bool) -> None:
        self.now_s = 0.0
        self.turns = Turns()
        self.service = Service(
            classifier, self.turns, with_camera=with_camera, clock=lambda: self.now_s
        )
        self.page = LivePage("127.0.0.1:0", option="--serve", routes=self.service.routes)
        self.port = int(self.page.url.rpartition(":")[2].rstrip("/"))

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, str, Any]:
        """Return status, text, and the text as JSON where it is; an error is checked to be one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        is_json = response.headers["Content-Type"] == "application/json" and method != "HEAD"
        content: Any = json.loads(text) if is_json else None
        if response.status >= 400 and method != "HEAD":
            assert list(content) == ["error"]
            assert text.count("\n") == 1
        return response.status, text, content

    def send(self, picture: bytes, query: str = "") -> Any:
        status, text, answer = self.ask("POST", f"/classify{query}", picture)
        assert status == 200, text
        return answer

    def raw(self, sent: bytes, *, ends: bool = True) -> bytes:
        """Send bytes as they are, and return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), 30) as connection:
            connection.sendall(sent)
            if ends:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))

    def show(self, label: str, *, captured_s: float = 0.0) -> None:
        scores = np.array([float(name == label) for name in CLASSES], np.float32)
        frame = Frame(exported_project.picture(0, 1), 0, captured_s, name="camera 0")
        for output in (self.service, self.page):
            output.show(frame, Prediction(CLASSES, scores))

    def metric(self, name: str) -> float:
        for line in self.ask("GET", "/metrics")[1].splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(name)
