"""Heat maps on the device: what a bundle brings for them, and what is drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from support.exported_project import CLASSES, picture

from edge_classifier.commands.cli import main
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.errors import BundleError
from edge_classifier.device.heat import with_heat
from edge_classifier.export.formats import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

pytestmark = pytest.mark.slow


def spoilt(number: int) -> npt.NDArray[np.uint8]:
    """Draw a picture of a ball with something foreign in the lower left corner of its square."""
    image = picture(0, number)
    for offset in range(0, 70, 14):
        cv2.line(image, (45, 165 + offset), (115, 170 + offset), (0, 255, 255), 6)
    return image


def change(bundle: Path, what: Callable[[dict[str, Any]], object]) -> None:
    spec = json.loads((bundle / "spec.json").read_text(encoding="utf-8"))
    what(spec["models"]["float32"])
    (bundle / "spec.json").write_text(json.dumps(spec), encoding="utf-8")


@pytest.mark.parametrize("model_format", LIMITS)
def test_what_is_foreign_is_hot_and_the_rest_is_not(bundle: Path, model_format: str) -> None:
    classifier = Classifier(Bundle.open(bundle), model_format)
    classifier.predict(picture(0, 50))
    assert classifier.heat(classifier.predict(picture(0, 50))) is None
    classifier.use_heat()
    clean, hot = [], []
    for number in range(50, 58):
        prediction = classifier.predict(picture(0, number))
        heat = classifier.heat(prediction)
        assert prediction.class_name == CLASSES[0]
        assert heat is not None
        clean.append(heat)
        classifier.predict(spoilt(number))
        heat = classifier.heat(prediction)
        assert heat is not None
        hot.append(heat)
    added = np.mean(hot, axis=0) - np.mean(clean, axis=0)
    half = added.shape[0] // 2
    assert np.mean(clean) < 0.15
    assert added[half + 1 :, :half].mean() > 0.3
    assert added[half + 1 :, :half].mean() > 3 * abs(added[:half, half + 1 :].mean())


def test_heat_is_drawn_where_it_is_in_the_square_that_the_network_sees() -> None:
    image = np.full((60, 100, 3), 100, np.uint8)
    heat = np.zeros((3, 3), np.float32)
    assert (with_heat(image, heat) == image).all()
    heat[2, 0] = 1.0
    drawn = with_heat(image, heat)
    assert (image == 100).all()
    rows, columns = np.nonzero((drawn != image).any(axis=2))
    assert rows.min() >= 20
    assert columns.min() >= 20
    assert columns.max() < 60
    blue, _, red = drawn[55, 25].tolist()
    assert red > 150
    assert blue < 100


def test_answers_are_the_same_with_heat(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), spoilt(50))
    said = []
    for options in ([], ["--heat", "--mjpeg", "127.0.0.1:0"]):
        assert main(["run", str(bundle), str(tmp_path), "--no-window", *options]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


def test_heat_that_nothing_would_show_is_refused(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), spoilt(50))
    assert main(["run", str(bundle), str(tmp_path), "--heat"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "--heat colours what the window and the page show" in err


def test_a_bundle_of_the_version_before_says_that_it_has_none(copy: Path) -> None:
    change(copy, lambda model: model.pop("heat"))
    classifier = Classifier(Bundle.open(copy))
    with pytest.raises(BundleError, match="exported by an older version; export it again"):
        classifier.use_heat()


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda file: file.unlink(), "cannot be read"),
        (lambda file: file.write_bytes(file.read_bytes()[:-2]), "truncated, damaged or was"),
    ],
)
def test_a_damaged_file_is_told_in_one_line_and_only_where_it_is_needed(
    copy: Path, spoil: Callable[[Path], object], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(copy / "heat-float32.bin")
    cv2.imwrite(str(copy.parent / "a.png"), picture(0, 50))
    arguments = ["run", str(copy), str(copy.parent / "a.png"), "--no-window"]
    assert main(arguments) == 0
    capsys.readouterr()
    assert main([*arguments, "--heat"]) == 1
    told = capsys.readouterr().err
    assert what in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"places": [1, 2, 3]},
        {"places": [1]},
        {"places": [-1, 2, 3]},
        {"usual": [1.0, 1.0]},
        {"usual": [1.0, 1.0, "far"]},
        {"usual": [1.0, 1.0, 0.0]},
        {"places": None},
    ],
)
def test_a_description_that_does_not_fit_is_told(copy: Path, changes: dict[str, Any]) -> None:
    change(copy, lambda model: model["heat"].update(changes))
    with pytest.raises(BundleError, match=r"heat-float32\.bin does not fit"):
        Classifier(Bundle.open(copy)).use_heat()


def test_a_file_outside_of_the_bundle_is_refused(copy: Path) -> None:
    change(copy, lambda model: model["heat"].update(file="../heat-float32.bin"))
    with pytest.raises(BundleError, match="is damaged"):
        Bundle.open(copy)


def test_predict_writes_pictures_that_show_where(
    bundle: Path, taught_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:  # two pictures of one name
        folder.mkdir()
        cv2.imwrite(str(folder / "ball.png"), spoilt(50))
    for number, asked in enumerate((bundle, taught_project)):
        out = tmp_path / f"heat {number}" / "new"
        arguments = ["predict", str(asked), *map(str, folders), "--heat", str(out), "--json"]
        assert main(arguments) == 0
        answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        written = [out / "ball-heat.jpg", out / "ball-heat-2.jpg"]
        assert [a["heat"] for a in answers] == [str(path) for path in written]
        assert sorted(out.iterdir()) == sorted(written)
        shown = np.asarray(cv2.imread(str(written[0]))).astype(int)
        redder = shown[..., 2] - spoilt(50)[..., 2]
        assert redder[170:230, 40:110].mean() > redder[60:110, 220:270].mean() + 15


def test_what_the_memory_held_before_the_first_picture_says_nothing_of_the_model(
    bundle: Path,
) -> None:
    classifier = Classifier(Bundle.open(bundle))
    for number in range(len(classifier.interpreter.output_details)):
        classifier.interpreter.output(number)[:] = np.nan
    classifier.use_heat()
