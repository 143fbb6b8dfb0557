"""A real Mosquitto on a port of its own, to be killed and started again."""

from __future__ import annotations

import queue
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from support.answers import wait_until

PASSWORD = "correct horse"  # noqa: S105 - of a broker of the test's own


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class MosquittoBroker:
    """Keeps nothing over a restart. With a `user` it wants `PASSWORD`; with a `certificate` TLS."""

    def __init__(
        self, folder: Path, *, user: str = "", certificate: tuple[Path, Path] | None = None
    ) -> None:
        program = shutil.which(
            "mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
        )
        if program is None:
            pytest.skip("mosquitto is not installed (apt install mosquitto)")
        self.port = free_port()
        self._words = [program, "-c", str(folder / "mosquitto.conf")]
        lines = [f"listener {self.port} 127.0.0.1", "user root"]
        if user:
            subprocess.run(  # noqa: S603 - our own words
                [
                    shutil.which("mosquitto_passwd") or "",
                    "-b",
                    "-c",
                    folder / "users",
                    user,
                    PASSWORD,
                ],
                check=True,
            )
            lines += [f"password_file {folder / 'users'}"]
        lines += [f"allow_anonymous {'false' if user else 'true'}"]
        if certificate:
            lines += [f"certfile {certificate[0]}", f"keyfile {certificate[1]}"]
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own words
            self._words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._answers)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


class Listener:
    """Hears all topics of a broker, and keeps the newest of each."""

    def __init__(self, port: int) -> None:
        self.newest: dict[str, str] = {}
        self.heard: queue.Queue[tuple[str, str]] = queue.Queue()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("#")
        self._client.loop_start()

    def say(self, topic: str, text: str, *, retain: bool = False) -> None:
        self._client.publish(topic, text, retain=retain).wait_for_publish(30)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: paho.Client, _data: Any, got: paho.MQTTMessage) -> None:
        self.newest[got.topic] = got.payload.decode()
        self.heard.put((got.topic, got.payload.decode()))
