"""Let other frameworks read what `export --format keras` and the like wrote, as its README.md says.

    python tools check_elsewhere PROJECT-keras PROJECT-onnx … --environments DIR

Every program in the README.md of each folder is run on the pictures in its `reference/`, in an
environment of its own with just the packages that the README.md installs, and what it prints is
compared with `expected.json`. The page of `tfjs` is opened in a headless Chromium, with
TensorFlow.js from npm. Environments are kept in DIR. Exit code: 0 if all labels are the same and no
score differs by more than 0.001.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import venv
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ALLOWED = 1e-3
TIMEOUT_S = 120.0
TFJS = "@tensorflow/tfjs@4.22.0"
_PROGRAM = re.compile(r"```sh\npip install (.*?)\n```\s+```python\n(.*?)```", re.DOTALL)
_REPORT = b"""<script>
new MutationObserver(() => fetch("/said", {method: "POST", body: byId("said").textContent}))
  .observe(byId("said"), {childList: true});
</script>"""


@dataclass(frozen=True)
class Answer:
    """What somebody else says of the reference pictures."""

    reader: str
    labels: list[str]
    scores: list[float]


def environment(packages: str, environments: Path) -> Path:
    """Make an environment with some packages, unless it is there; returns its Python."""
    folder = environments / re.sub(r"\W+", "-", packages)
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", *shlex.split(packages)]
        subprocess.run(pip, check=True)  # noqa: S603 - what our README.md names
        (folder / "ready").touch()
    return python


def run_programs(folder: Path, expected: dict[str, Any], environments: Path) -> list[Answer]:
    """Run the programs in a folder's README.md."""
    answers = []
    pictures = [picture["file"] for picture in expected["pictures"]]
    for packages, program in _PROGRAM.findall((folder / "README.md").read_text(encoding="utf-8")):
        python = environment(packages, environments)
        said = subprocess.run(  # noqa: S603 - our own README.md's program
            [python, "-c", program, *pictures],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
        rows = [line.split("\t") for line in said.stdout.splitlines() if line.count("\t") == 2]  # noqa: PLR2004 - path, label, score
        answers.append(
            Answer(packages, [label for _, label, _ in rows], [float(s) for _, _, s in rows])
        )
    return answers


def open_page(folder: Path, environments: Path) -> str:
    """Open a folder's page in Chromium; returns what it says of the reference pictures."""
    script = environments / "node_modules" / "@tensorflow" / "tfjs" / "dist" / "tf.min.js"
    if not script.exists():
        npm = ["npm", "install", "--ignore-scripts", "--prefix", str(environments), TFJS]
        subprocess.run(npm, check=True, capture_output=True)  # noqa: S603 - as written here
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    said, arrived = [], threading.Event()

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/":
                self._answer((folder / "index.html").read_bytes() + _REPORT, "text/html")
            elif self.path == "/tf.min.js":
                self._answer(script.read_bytes(), "text/javascript")
            else:
                super().do_GET()

        def do_POST(self) -> None:
            said.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._answer(b"", "text/plain")
            arrived.set()

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, content: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    handler = functools.partial(Handler, directory=str(folder))
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = subprocess.Popen(  # noqa: S603 - as written here
            [
                *(chromium, "--headless", "--no-sandbox", "--enable-unsafe-swiftshader"),
                *(f"--user-data-dir={profile}", "--remote-debugging-port=0"),
                f"http://127.0.0.1:{server.server_port}/",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            arrived.wait(TIMEOUT_S)
        finally:
            browser.terminate()
            browser.wait()
            server.shutdown()
    return said[0] if said else f"nothing within {TIMEOUT_S:.0f} s"


def check(folder: Path, environments: Path) -> bool:
    """Compare what others say of a folder's pictures with what is expected; print it."""
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    labels = [picture["label"] for picture in expected["pictures"]]
    highest = [max(picture["scores"]) for picture in expected["pictures"]]
    good = True
    if (folder / "index.html").exists():
        said = open_page(folder, environments)
        found = re.match(r"(\d+) of .* differ by (\S+) at most", said)
        fine = bool(found and int(found[1]) == len(labels) and float(found[2]) <= ALLOWED)
        print(f"{folder.name}: Chromium with {TFJS}: {said} {'ok' if fine else 'FAILED'}")
        return fine
    answers = run_programs(folder, expected, environments)
    for answer in answers:
        difference = max(
            (abs(a - b) for a, b in zip(answer.scores, highest, strict=False)), default=1.0
        )
        fine = answer.labels == labels and difference <= ALLOWED
        good = good and fine
        same = sum(a == b for a, b in zip(answer.labels, labels, strict=False))
        print(
            f"{folder.name}: {answer.reader}: {same} of {len(labels)} labels, score differs by "
            f"{difference:.0e}: {'ok' if fine else 'FAILED'}"
        )
    return good and bool(answers)


def main() -> int:
    """Check all folders; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--environments", type=Path, required=True, metavar="DIR")
    options = parser.parse_args()
    options.environments.mkdir(parents=True, exist_ok=True)
    results = [check(f.resolve(), options.environments.resolve()) for f in options.folders]
    return int(not all(results))


if __name__ == "__main__":
    sys.exit(main())
