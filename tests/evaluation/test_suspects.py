from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from support.feature_sets import clusters

from edge_classifier.evaluation.cross_validation import cross_validate
from edge_classifier.evaluation.quality import PictureQuality
from edge_classifier.evaluation.suspects import Reason, Suspect, doubtful_labels, find_suspects
from edge_classifier.values import FeatureSet, Sample

SHARP = PictureQuality(sharpness=300.0, contrast=2500.0, white=0.02, black=0.05)


def samples_of(feature_set: FeatureSet) -> list[Sample]:
    return [
        Sample(feature_set.class_names[c], str(b), Path(f"{n}.jpg"), str(n))
        for n, (c, b) in enumerate(
            zip(feature_set.class_ids.tolist(), feature_set.burst_ids.tolist(), strict=True)
        )
    ]


def doubted(feature_set: FeatureSet) -> list[int]:
    found = doubtful_labels(samples_of(feature_set), feature_set, cross_validate(feature_set))
    return sorted(int(suspect.sample.image_sha256) for suspect in found)


def relabelled(feature_set: FeatureSet, rows: list[int], burst: str | None = None) -> FeatureSet:
    """Give some rows the label of the next class, in a burst each or in one."""
    class_ids, bursts = feature_set.class_ids.copy(), feature_set.burst_ids.astype("U16")
    class_ids[rows] = (class_ids[rows] + 1) % len(feature_set.class_names)
    bursts[rows] = [burst or f"wrong-{row}" for row in rows]
    return replace(feature_set, class_ids=class_ids, burst_ids=bursts)


def test_a_wrong_label_is_found_with_what_it_looks_like() -> None:
    feature_set = relabelled(clusters(bursts=5), [3])
    samples = samples_of(feature_set)
    (suspect,) = doubtful_labels(samples, feature_set, cross_validate(feature_set))
    assert suspect.sample == samples[3]
    assert suspect.reason is Reason.MISLABELLED
    assert (suspect.text, suspect.looks_like) == ("looks like class 0", "class 0")
    assert suspect.severity > 0.5


def test_right_labels_are_left_alone() -> None:
    assert doubted(clusters(bursts=5)) == []
    assert doubted(clusters(bursts=5, spread=0.5)) == []


def test_a_hold_of_the_wrong_key_is_found_as_a_whole() -> None:
    wrong = list(range(20, 30))  # the third burst of class 0
    found = doubted(relabelled(clusters(bursts=5), wrong, "wrong"))
    assert set(found) <= set(wrong)
    assert len(found) >= 7


def test_of_two_bursts_nobody_knows_which_one_is_wrong() -> None:
    feature_set = clusters(bursts=2)
    assert doubted(relabelled(feature_set, list(range(10)), "wrong")) == []


def test_classes_that_are_confused_are_not_called_mislabelled() -> None:
    """Where a quarter of a class lies among another one, telling them apart is the problem."""
    feature_set = clusters(bursts=8)
    features = feature_set.features.copy()
    astray = [row for row in range(80) if row % 4 == 0]
    features[astray] = features[80:160][: len(astray)] * np.float32(0.98)
    bursts = np.array([str(n) for n in range(len(features))])
    mixed = replace(feature_set, features=features, burst_ids=bursts)
    found = cross_validate(mixed)
    assert found.evaluation is not None
    assert found.evaluation.confusion[0, 1] > 10
    assert doubted(mixed) == []


def test_without_a_second_burst_no_label_is_doubted() -> None:
    assert doubted(relabelled(clusters(bursts=1), [3], "0-0")) == []


def pictures(count: int, burst: str = "a", class_name: str = "mug") -> list[Sample]:
    return [
        Sample(class_name, burst, Path(f"{class_name}/{burst}-{n}.jpg"), f"{class_name}{burst}{n}")
        for n in range(count)
    ]


def reasons(
    samples: list[Sample], odd: dict[int, PictureQuality], usual: PictureQuality = SHARP
) -> dict[int, Reason]:
    rng = np.random.default_rng(0)
    qualities = {
        sample.image_sha256: replace(usual, sharpness=usual.sharpness * rng.uniform(0.8, 1.25))
        for sample in samples
    }
    qualities.update({samples[n].image_sha256: quality for n, quality in odd.items()})
    found = find_suspects(samples, qualities)
    return {samples.index(suspect.sample): suspect.reason for suspect in found}


def test_what_is_worse_than_its_burst_is_named_with_its_fault() -> None:
    odd = {
        1: replace(SHARP, sharpness=20.0),
        2: replace(SHARP, white=0.6),
        3: replace(SHARP, black=0.8),
    }
    assert reasons(pictures(20), odd) == {
        1: Reason.BLURRED,
        2: Reason.TOO_BRIGHT,
        3: Reason.TOO_DARK,
    }


def test_what_is_as_its_burst_is_fine_however_smooth_or_white() -> None:
    assert reasons(pictures(20), {}, PictureQuality(2.0, 900.0, 0.6, 0.0)) == {}


def test_a_picture_of_little_contrast_is_not_blurred() -> None:
    assert reasons(pictures(20), {4: replace(SHARP, sharpness=20.0, contrast=170.0)}) == {}


def test_a_burst_that_is_blurred_throughout_is_told_by_the_others_of_its_class() -> None:
    samples = [*pictures(10, "a"), *pictures(10, "b"), *pictures(10, "c")]
    odd = {n: replace(SHARP, sharpness=8.0) for n in range(10)}
    assert reasons(samples, odd) == dict.fromkeys(range(10), Reason.BLURRED)


def test_pictures_added_one_by_one_are_compared_with_their_class() -> None:
    samples = [sample for n in range(12) for sample in pictures(1, f"burst {n}")]
    assert reasons(samples, {5: replace(SHARP, sharpness=10.0)}) == {5: Reason.BLURRED}


def test_a_few_pictures_say_nothing_of_each_other() -> None:
    assert reasons(pictures(4), {1: replace(SHARP, sharpness=5.0)}) == {}


def test_a_sample_is_listed_once_and_the_worst_comes_first() -> None:
    samples = pictures(20)
    qualities = {sample.image_sha256: SHARP for sample in samples}
    qualities[samples[2].image_sha256] = replace(SHARP, white=0.95)
    qualities[samples[5].image_sha256] = replace(SHARP, white=0.4)
    doubtful = [
        Suspect(samples[2], Reason.MISLABELLED, "looks like phone", 0.9, "phone"),
        Suspect(samples[7], Reason.MISLABELLED, "looks like phone", 0.8, "phone"),
    ]
    found = find_suspects(samples, qualities, doubtful)
    assert [(s.sample, s.reason) for s in found] == [
        (samples[2], Reason.TOO_BRIGHT),
        (samples[7], Reason.MISLABELLED),
        (samples[5], Reason.TOO_BRIGHT),
    ]


def test_pictures_that_were_not_measured_are_not_judged() -> None:
    assert find_suspects(pictures(20), {}) == ()
