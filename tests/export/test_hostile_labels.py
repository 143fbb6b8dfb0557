"""What strangers call their classes is never run, never interpreted, and never leaves its place."""

from __future__ import annotations

import http.server
import json
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_classifier.device.bundle import Bundle
from edge_classifier.device.console import say
from edge_classifier.device.errors import BundleError, InvalidValueError
from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.on_change import OnChange
from edge_classifier.device.verdict import Prediction

if TYPE_CHECKING:
    from pathlib import Path

LABELS = (
    *("$(touch x)", "`touch x`", "; touch x", "| touch x", "&& touch x", "' ; touch x #", '"; x "'),
    *("-rf", "--help", "a b", "*", "~", "{score}", "{label}", "{0}", "%s", "\\n", "杯子", "növ"),
)


def answer(label: str) -> Prediction:
    return Prediction((label, "other"), np.array([0.75, 0.25], np.float32))


def picture() -> Frame:
    return Frame(np.zeros((4, 4, 3), np.uint8), 0, 0.0, name="camera 0")


@pytest.mark.parametrize("label", LABELS)
def test_a_command_gets_the_label_as_one_argument_and_in_its_environment(
    label: str, tmp_path: Path
) -> None:
    script = tmp_path / "keep.py"
    script.write_text(
        "import json, os, sys\n"
        "e = [os.environ['CLASSIFY_LABEL'], os.environ['CLASSIFY_SCORE']]\n"
        f"json.dump([sys.argv[1:], e], open({str(tmp_path / 'log')!r}, 'w'))\n",
        encoding="utf-8",
    )
    output = OnChange(f"{sys.executable} {script} {{label}} x{{label}}{{score}}", None, frames=1)
    output.show(picture(), answer(label))
    output.close()
    arguments, told = json.loads((tmp_path / "log").read_text(encoding="utf-8"))
    assert arguments == [label, f"x{label}0.750"]
    assert told == [label, "0.750"]
    assert {path.name for path in tmp_path.iterdir()} == {"keep.py", "log"}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("{label} {score}", "the program itself"),
        ("sh -c 'echo {label}'", "a shell would run"),
        ("/bin/bash -lc 'echo {score} >> log'", "a shell would run"),
        ("bash --norc -c 'echo {label}'", "a shell would run"),
        ("bash -c -e 'echo {label}'", "a shell would run"),
        ("env LANG=C bash -c 'echo {label}'", "a shell would run"),
        ("fish --command='echo {label}'", "a shell would run"),
        ("powershell -Command 'echo {label}'", "a shell would run"),
        ("cmd /c 'echo {label}'", "a shell would run"),
        ("echo 'not closed", "cannot be read"),
    ],
)
def test_a_command_that_would_run_a_label_is_refused(command: str, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        OnChange(command, None, frames=1)


@pytest.mark.skipif(sys.platform == "win32", reason="sh")
def test_a_shell_may_hand_the_label_to_a_script_that_lies_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    script, log = tmp_path / "scripts" / "tell.sh", tmp_path / "log"
    script.write_text(f'printf %s "$1" > {log}\n')
    output = OnChange(f"sh {script} {{label}}", None, frames=1)
    output.show(picture(), answer("$(id)"))
    output.close()
    assert log.read_text(encoding="utf-8") == "$(id)"


@pytest.mark.skipif(sys.platform == "win32", reason="sh")
@pytest.mark.parametrize("label", LABELS)
def test_a_shell_that_was_asked_for_finds_the_label_in_its_environment(
    label: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    output = OnChange(f"""sh -c 'printf %s "$CLASSIFY_LABEL" > {log}'""", None, frames=1)
    output.show(picture(), answer(label))
    output.close()
    assert log.read_text(encoding="utf-8") == label


def test_a_label_that_no_command_can_take_is_told_and_the_next_one_comes_through(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    program = f"import sys; open({str(log)!r}, 'w').write(sys.argv[1])"
    output = OnChange(f'{sys.executable} -c "{program}" {{label}}', None, frames=1)
    output.show(picture(), answer("x\0y"))
    output.show(picture(), answer("fine"))
    output.close()
    assert "null byte" in capfd.readouterr().err
    assert log.read_text(encoding="utf-8") == "fine"


def test_a_webhook_that_answers_nonsense_is_told_and_the_next_change_is_sent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    received: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.wfile.write(b"no HTTP at all\r\n\r\n")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        output = OnChange(None, f"http://127.0.0.1:{server.server_port}/", frames=1)
        output.show(picture(), answer("\udcff"))
        output.show(picture(), answer("fine"))
        output.close()
        server.shutdown()
        thread.join(10)
    assert [json.loads(body)["label"] for body in received] == ["\udcff", "fine"]
    assert capsys.readouterr().err.count("--webhook: ") == 2


def test_what_is_said_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("\x1b[2Jgone\nsecond line \u202egpj.exe")
    assert capsys.readouterr().err == "\\x1b[2Jgone\\nsecond line \\u202egpj.exe\n"


SPEC = {
    "format": "edge-classifier bundle",
    "version": 1,
    "class_names": ["a", "b"],
    "preprocessing": {"input_size": 160, "resize": "mipmap", "low": -1.0, "high": 1.0},
    "unknown": {"threshold": 0.5, "neighbours": 3},
    "smoothing_s": 0.2,
    "models": {"float32": {"file": "model.tflite", "sha256": "0"}},
    "references": [{"file": "reference/0.png", "scores": {"float32": [0.5, 0.5]}}],
}


def write_bundle(folder: Path, spec: object, labels: str = "a\nb\n") -> Path:
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    (folder / "labels.txt").write_text(labels, encoding="utf-8")
    return folder


def test_an_honest_bundle_opens(tmp_path: Path) -> None:
    assert Bundle.open(write_bundle(tmp_path, SPEC)).class_names == ("a", "b")


@pytest.mark.parametrize(
    "changes",
    [
        {"class_names": ["a", "x\x00"]},
        {"class_names": ["a", "\ud800"]},
        {"class_names": ["a", "\x1b[2J"]},
        {"class_names": ["a", "a"]},
        {"class_names": ["a", ""]},
        {"class_names": ["a", 5]},
        {"class_names": "ab"},
        {"class_names": []},
        {"preprocessing": {**SPEC["preprocessing"], "input_size": 10**9}},  # type: ignore[dict-item]  # a literal above
        {"preprocessing": {**SPEC["preprocessing"], "input_size": 1.5}},  # type: ignore[dict-item]  # same
        {"preprocessing": {**SPEC["preprocessing"], "high": float("nan")}},  # type: ignore[dict-item]  # same
        {"preprocessing": {"input_size": 160, "mirror": True}},
        {"unknown": {"threshold": "0.5", "neighbours": 3}},
        {"unknown": {"threshold": float("inf"), "neighbours": 3}},
        {"unknown": {"threshold": 0.5, "neighbours": 0}},
        {"unknown": {"threshold": 0.5, "neighbours": 10**400}},
        {"smoothing_s": float("nan")},
        {"smoothing_s": True},
        {"models": {}},
        {"models": {"float99": {"file": "model.tflite", "sha256": "0"}}},
        {"models": {"float32": {"file": "../model.tflite", "sha256": "0"}}},
        {"models": {"float32": {"file": "/etc/passwd", "sha256": "0"}}},
        {"models": {"float32": {"file": "C:x", "sha256": "0"}}},
        {"models": {"float32": {"file": "..\\x", "sha256": "0"}}},
        {"models": {"float32": {"file": "model.tflite", "sha256": None}}},
        {"references": [{"file": "../../x.png", "scores": {"float32": [0.5, 0.5]}}]},
        {"references": [{"file": "reference/0.png", "scores": {}}]},
        {"references": [{"file": "reference/0.png", "scores": {"float32": "ab"}}]},
        {"references": [{"file": "reference/0.png", "scores": {"float32": ["a", 1]}}]},
        {"references": [5]},
        {"references": 5},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_a_bundle_that_says_what_cannot_be_is_refused_in_one_line(
    changes: dict[str, object], tmp_path: Path
) -> None:
    spec = {**SPEC, **changes}
    names = spec["class_names"]
    labels = "".join(f"{n}\n" for n in names) if isinstance(names, list) else ""
    write_bundle(tmp_path, spec, labels.encode("utf-8", "replace").decode())
    with pytest.raises(BundleError, match=r"spec\.json is damaged") as caught:
        Bundle.open(tmp_path)
    assert "\n" not in str(caught.value)


def test_deep_nesting_in_a_bundle_is_damage(tmp_path: Path) -> None:
    write_bundle(tmp_path, SPEC)
    (tmp_path / "spec.json").write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(BundleError, match="damaged"):
        Bundle.open(tmp_path)


@settings(max_examples=60, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=8))
def test_nothing_in_the_place_of_any_field_ends_in_anything_but_a_line(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    folder = tmp_path_factory.mktemp("bundle")
    for key in SPEC:
        write_bundle(folder, {**SPEC, key: value})
        try:
            Bundle.open(folder)
        except BundleError as error:
            assert str(error)  # noqa: PT017 - whether it is raised depends on the value
