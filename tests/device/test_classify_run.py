"""A bundle on a device: its own `classify.py`, run as the file that it is."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from support import exported_project
from support.exported_project import CLASSES
from support.mounts import named_pipe

from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.errors import BundleError
from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.page import LivePage
from edge_classifier.device.verdict import Prediction

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Image = npt.NDArray[np.uint8]

TIMEOUT_S = 60


def run(
    bundle: Path, *arguments: str | Path, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the bundle's own file, without a screen and without sight of this checkout."""
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(  # noqa: S603 - our own file
        [sys.executable, "-I", str(bundle / "classify.py"), *map(str, arguments)],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )


def told(result: subprocess.CompletedProcess[str]) -> list[str]:
    """What it said on standard error, without LiteRT's own greeting."""
    return [line for line in result.stderr.splitlines() if not line.startswith("INFO:")]


def records(result: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one picture a class, that no model was trained on."""
    folder = tmp_path_factory.mktemp("pictures")
    for class_id in range(len(CLASSES)):
        cv2.imwrite(str(folder / f"{class_id}.png"), exported_project.picture(class_id, 50))
    return folder


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty frames of each class, at 25 frames per second."""
    path = tmp_path_factory.mktemp("video") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240))
    for class_id in range(len(CLASSES)):
        for number in range(20):
            writer.write(exported_project.picture(class_id, number))
    writer.release()
    return path


# Pictures and videos


def test_a_folder_gives_one_line_a_picture_with_its_label(bundle: Path, pictures: Path) -> None:
    result = run(bundle, pictures)
    assert result.returncode == 0, result.stderr
    assert [r["label"] for r in records(result)] == list(CLASSES)
    assert [Path(r["source"]).name for r in records(result)] == ["0.png", "1.png", "2.png"]
    assert all(abs(sum(r["scores"].values()) - 1) < 1e-3 for r in records(result))


@pytest.mark.parametrize("model_format", ["float16", "dynamic", "int8"])
def test_every_model_of_the_bundle_gives_the_same_labels(
    bundle: Path, pictures: Path, model_format: str
) -> None:
    result = run(bundle, pictures, "--format", model_format)
    assert [r["label"] for r in records(result)] == list(CLASSES)


def test_something_never_taught_is_unknown(bundle: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "noise.png"), noise)
    (record,) = records(run(bundle, tmp_path / "noise.png"))
    assert record["label"] == "unknown"
    assert record["unknown"] is True


def test_a_video_is_answered_frame_by_frame_and_steadily(bundle: Path, video: Path) -> None:
    labels = [r["label"] for r in records(run(bundle, video))]
    assert len(labels) == 60
    changes = [label for n, label in enumerate(labels) if n == 0 or label != labels[n - 1]]
    assert [c for c in changes if c != "unknown"] == list(CLASSES)


def test_a_video_says_the_same_in_every_run(bundle: Path, video: Path) -> None:
    assert run(bundle, video).stdout == run(bundle, video).stdout


def test_it_stops_after_so_many_frames(bundle: Path, video: Path) -> None:
    assert len(records(run(bundle, video, "--frames", "7"))) == 7


def test_the_benchmark_tells_where_the_time_goes(bundle: Path, video: Path) -> None:
    result = run(bundle, video, "--benchmark", "--threads", "auto")
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["capture", "preprocessing", "inference"]
    assert lines[4].startswith("60 frames in ")


def test_a_picture_that_cannot_be_read_is_named_and_the_rest_is_answered(
    bundle: Path, pictures: Path, tmp_path: Path
) -> None:
    shutil.copytree(pictures, tmp_path / "some")
    (tmp_path / "some" / "1.png").write_bytes(b"no picture")
    result = run(bundle, tmp_path / "some")
    assert [r["label"] for r in records(result)] == [CLASSES[0], CLASSES[2]]
    (line,) = told(result)
    assert line.startswith(f"left out: {tmp_path / 'some' / '1.png'} is not a picture that can be")
    assert result.returncode == 3


@pytest.mark.parametrize("name", ["photo.tif", "photo.ppm", "photo"])
def test_a_picture_is_known_by_its_content_where_its_name_does_not_say_it(
    bundle: Path, tmp_path: Path, name: str
) -> None:
    suffix = Path(name).suffix or ".png"
    (tmp_path / name).write_bytes(cv2.imencode(suffix, exported_project.picture(0, 1))[1].tobytes())
    result = run(bundle, tmp_path / name)
    assert result.returncode == 0, result.stderr
    assert [Path(r["source"]).name for r in records(result)] == [name]


def test_an_address_of_a_file_is_played(bundle: Path, video: Path) -> None:
    result = run(bundle, video.as_uri(), "--frames", "2")
    assert result.returncode == 0, result.stderr
    assert len(records(result)) == 2


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(bundle: Path, tmp_path: Path) -> None:
    named_pipe(tmp_path / "pipe")
    result = run(bundle, str(tmp_path / "pipe"))
    assert result.returncode == 1
    assert "pipe' is neither a video file nor a camera" in "".join(told(result))


def test_an_output_that_cannot_be_is_told_before_the_source_is_looked_for(bundle: Path) -> None:
    result = run(bundle, "rtsp://127.0.0.1:9/nothing", "--mjpeg", "nonsense")
    assert result.returncode == 2
    assert "HOST:PORT" in told(result)[0]


def test_a_live_page_is_a_source_for_another_classifier(bundle: Path) -> None:
    page = LivePage("127.0.0.1:0")
    stop = threading.Event()
    prediction = Prediction(CLASSES, np.full(len(CLASSES), 1 / len(CLASSES), np.float32))

    def keep_showing() -> None:
        number = 0
        while not stop.wait(0.02):
            page.show(Frame(exported_project.picture(0, number), number, 0.0), prediction)
            number += 1

    thread = threading.Thread(target=keep_showing)
    thread.start()
    try:
        result = run(bundle, f"{page.url}stream", "--frames", "3")
    finally:
        stop.set()
        thread.join(10)
        page.close()
    assert result.returncode == 0, result.stderr
    assert {r["source"] for r in records(result)} == {f"{page.url}stream"}
    assert len(records(result)) == 3


# What is wrong is told in one line


@pytest.mark.parametrize("name", ["", "cli.py", "sources/named.py", "outputs/__init__.py"])
def test_a_bundle_that_was_copied_by_half_says_what_is_missing(copy: Path, name: str) -> None:
    if name:
        (copy / "edge_device" / name).unlink()
    else:
        shutil.rmtree(copy / "edge_device")
    result = run(copy, "--verify")
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = told(result)
    assert line == (
        f"classify: {copy} lacks edge_device/{name or '__init__.py'}; copy the whole bundle again."
    )


@pytest.mark.parametrize("part", [0, 0.5, 0.99])
@pytest.mark.parametrize("name", ["cli.py", "bundle.py", "outputs/page.py"])
def test_a_runner_that_was_cut_short_is_told_in_one_line(
    copy: Path, name: str, part: float
) -> None:
    path = copy / "edge_device" / name
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    result = run(copy, "--verify")
    assert result.returncode == 1
    assert told(result) == [
        f"classify: {copy} has only a part of edge_device/{name}; copy the whole bundle again."
    ]


def test_a_runner_may_be_added_to(copy: Path) -> None:
    with (copy / "edge_device" / "cli.py").open("a", encoding="utf-8") as file:
        file.write("# mine\n")
    assert run(copy, "--verify").returncode == 0


def _remove(name: str) -> Callable[[Path], None]:
    return lambda bundle: (bundle / name).unlink()


def _cut(name: str) -> Callable[[Path], None]:
    def damage(bundle: Path) -> None:
        path = bundle / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return damage


def _spec(**changes: object) -> Callable[[Path], None]:
    def damage(bundle: Path) -> None:
        spec = json.loads((bundle / "spec.json").read_text())
        (bundle / "spec.json").write_text(json.dumps({**spec, **changes}))

    return damage


def _foreign_model(bundle: Path) -> None:
    (bundle / "model.tflite").write_bytes(b"TFL3" * 1000)


def _one_label_more(bundle: Path) -> None:
    with (bundle / "labels.txt").open("a", encoding="utf-8") as file:
        file.write("cat\n")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_remove("spec.json"), "no whole bundle: spec.json cannot be read"),
        (_remove("labels.txt"), "no whole bundle: labels.txt cannot be read"),
        (_remove("model.tflite"), "model.tflite cannot be read"),
        (_cut("spec.json"), "spec.json is damaged"),
        (_cut("model.tflite"), "model.tflite is not the file of this bundle"),
        (_foreign_model, "model.tflite is not the file of this bundle"),
        (_one_label_more, "has 4 labels that are not the 3 classes"),
        (_spec(version=2), "has version 2, this classify.py reads 1"),
        (_spec(format="something"), "belongs to something else"),
        (_spec(preprocessing={"input_size": -1}), "spec.json is damaged"),
        (_spec(models=[]), "spec.json is damaged"),
        (_spec(unknown={"threshold": "x"}), "spec.json is damaged"),
    ],
)
def test_a_bundle_that_is_not_whole_is_refused_in_one_line(
    copy: Path, pictures: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(copy)
    result = run(copy, pictures)
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = told(result)
    assert line.startswith("classify: ")
    assert message in line


def test_a_model_of_another_number_of_classes_is_refused(copy: Path) -> None:
    names = [*CLASSES, "cat"]
    _spec(class_names=names)(copy)
    (copy / "labels.txt").write_text("".join(f"{n}\n" for n in names), encoding="utf-8")
    with pytest.raises(BundleError, match=r"expected a model of .* 4 classes, .* has 3 classes"):
        Classifier(Bundle.open(copy))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.mp4"], "There is no nowhere.mp4"),
        (["9999"], "There is no camera 9999"),
        (["http://127.0.0.1:9/x"], "http://127.0.0.1:9/x gives no video"),
        (["{empty}"], "has no pictures"),
        (["{pictures}", "--format", "int4"], "has no int4 model; it has float32"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    bundle: Path, pictures: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    filled = [a.format(empty=tmp_path, pictures=pictures) for a in arguments]
    result = run(bundle, *filled, cwd=tmp_path)
    assert result.returncode == 1
    (line,) = told(result)
    assert message in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--threads", "many"], "expected a whole number from 1 to 64, received 'many'; or auto"),
        (["--frames", "-1"], "expected a whole number from 0 to 1,000,000,000"),
        (["--hold", "x"], "expected a whole number from 0 to 100,000"),
        (["--adapt", "now"], "invalid choice: 'now'"),
        (["--mjpeg", "nonsense"], "expected HOST:PORT"),
        (["--mjpeg", "0.0.0.0:8080"], "add --token"),
        (["--serve", "nonsense"], "--serve nonsense: expected HOST:PORT"),
        (["--serve", "0.0.0.0:8080"], "--serve 0.0.0.0:8080 can be seen by others"),
        (["--serve", ":0", "--mjpeg", ":0"], "--serve has the page of --mjpeg"),
        (["--no-camera"], "--no-camera is for --serve"),
        (["--serve", ":0", "--no-camera"], "looks at nothing, also not at"),
        (["--webhook", "ftp://x"], "expected an http or https address"),
        (["--on-change", "'open"], "cannot be read"),
        (["--on-change", "say {{label}}"], "the label 'växt 🌱' is no plain word"),
        (["--gpio", "cup=17"], "this model has no label 'cup'"),
        (["--mqtt", "broker"], "expected mqtt[s]://"),
        (["--mqtt-ca", "ca.pem"], "need --mqtt"),
        (["--osc", "x"], "expected HOST:PORT"),
        (["--serial", ":9600"], "expected PORT or PORT:BAUD"),
        (["--heat"], "here is neither"),
    ],
)
def test_an_option_that_can_never_be_is_told_and_no_service_tries_it_again(
    bundle: Path, pictures: Path, arguments: list[str], message: str
) -> None:
    """By `RestartPreventExitStatus=2`."""
    result = run(bundle, pictures, *(a.format() for a in arguments))
    assert result.returncode == 2
    assert result.stdout == ""
    (line,) = told(result)
    assert message in line


def test_a_port_that_is_taken_is_told_in_one_line(bundle: Path, pictures: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = run(bundle, pictures, "--mjpeg", address)
    assert result.returncode == 1
    (line,) = told(result)
    assert f"--mjpeg {address} cannot be used" in line


def test_the_classifier_gives_the_packages_own_answers(bundle: Path, taught_project: Path) -> None:
    """The unknown verdict and its similarity too, to the last digits."""
    from edge_classifier.learning.project_backbone import BackboneChoice, load_project_backbone  # noqa: PLC0415 - beside its one use
    from edge_classifier.learning.project_model import trained_model  # noqa: PLC0415 - same
    from edge_classifier.project.store import ProjectStore  # noqa: PLC0415 - same

    with ProjectStore.open(taught_project, read_only=True) as store:
        loaded = load_project_backbone(
            store, BackboneChoice(), lambda _done, _what=None: None, may_change=False
        )
        model, _ = trained_model(store, loaded)
    classifier = Classifier(Bundle.open(bundle))
    for class_id in range(len(CLASSES)):
        image = exported_project.picture(class_id, 60)
        expected = model.predict(loaded.backbone.extract([image]))[0]
        answer = classifier.predict(image)
        np.testing.assert_allclose(answer.scores, expected.scores, atol=1e-4)
        assert answer.similarity == pytest.approx(expected.similarity, abs=1e-4)
        assert answer.unknown == expected.unknown
        assert classifier.bundle.threshold == expected.threshold
