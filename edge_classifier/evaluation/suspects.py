"""Samples that a person should look at again: mislabelled, empty, blurred, badly exposed.

A false alarm costs a good picture, a missed one costs next to nothing: every rule here is set
for precision, by injecting faults into real sets (hand signs, clothes, camera clips, plants and
tools, the demo) with two backbones.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.verdict import inverse_norms
from edge_classifier.languages.text import Text
from edge_classifier.learning.empty_frames import HALF_SEEN, shown_classes
from edge_classifier.values import BACKGROUND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    import numpy.typing as npt

    from edge_classifier.evaluation.cross_validation import CrossValidation
    from edge_classifier.evaluation.metrics import Evaluation
    from edge_classifier.evaluation.quality import PictureQuality
    from edge_classifier.values import FeatureSet, Sample

_TIMES_LIKELIER: Final = 10.0
"""Another class's held-out score against the own one's, from which a label is doubted."""

_AS_SURE: Final = 0.9
"""The other class's score against what its own pictures usually get."""

_NEIGHBOURS: Final = 5
_OF_THE_OTHER: Final = 4
"""So many of the nearest pictures of other bursts must be of the other class, and none of its
own."""

_MOST_OF_A_CLASS: Final = 0.1
"""Where more of a class looks mislabelled it is confused, not mislabelled."""

_FEW: Final = 2
_BURSTS_TO_COMPARE: Final = 3
"""Of two bursts that differ nobody knows which one is wrong."""

_PEERS: Final = 6
"""Fewer pictures of a burst are compared with their class instead."""

_BLURRED: Final = 2.5
_BLURRED_IN_CONTRAST: Final = 2.0
_BLURRED_BURST: Final = 3.0
"""How many times sharpness must have halved against the peers' median. Blurring by 0.8 % of a
picture's side halves it three to five times; a whole burst against others asks for more."""

_SPREADS: Final = 3.0
_LEAST_SPREAD: Final = 0.15
"""And by so many robust standard deviations of the peers (halvings)."""

_TOO_BRIGHT: Final = 0.25
_TOO_DARK: Final = 0.4
"""How much more of the picture must be clipped than with its peers."""


_OUT_OF_PLACE: Final = 1.0
"""How severe a frame is that nothing is learned from until it was reviewed."""


class Reason(Enum):
    """Why a sample is suspect."""

    MISLABELLED = "mislabelled"
    EMPTY = "empty"
    BLURRED = "blurred"
    TOO_BRIGHT = "over-exposed"
    TOO_DARK = "under-exposed"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A sample that may do more harm than good.

    Attributes:
        text: For the user, one phrase: `looks like phone`.
        severity: From 0 to 1; lists are ordered by it.
        looks_like: The class that it seems to be of, where it looks mislabelled.
    """

    sample: Sample
    reason: Reason
    text: str
    severity: float
    looks_like: str | None = None


def doubtful_labels(
    samples: Sequence[Sample], feature_set: FeatureSet, found: CrossValidation
) -> tuple[Suspect, ...]:
    """List samples that look mislabelled, the clearest first; single bursts are never doubted.

    Two witnesses must agree: a model that was trained without the sample's burst finds another
    class far likelier (as in Northcutt, Jiang and Chuang, "Confident Learning", JAIR 2021, by
    that class's usual score), and nearly all of its nearest neighbours in other bursts are of
    that class. Where many samples of a class look so, the classes are confused, and none is
    listed; unless all of these are one burst of several, as after a hold of the wrong key.
    """
    evaluation = found.evaluation
    if evaluation is None:
        return ()
    own_ids, other_ids = evaluation.class_ids, evaluation.predicted_ids
    inverse = inverse_norms(feature_set.features)
    doubted = [
        int(n)
        for n in np.flatnonzero(_another_is_likelier(evaluation))
        if _nearest_are_of(
            int(other_ids[n]), int(own_ids[n]), int(found.rows[n]), feature_set, inverse
        )
    ]
    if feature_set.reviewed is not None:
        doubted = [n for n in doubted if not feature_set.reviewed[found.rows[n]]]
    bursts = feature_set.burst_ids[found.rows]
    kept = [n for n in doubted if not _confused(own_ids == own_ids[n], np.array(doubted), bursts)]
    names, other = evaluation.class_names, evaluation.confidences
    return tuple(
        Suspect(
            samples[int(found.rows[n])],
            Reason.MISLABELLED,
            Text("looks like {name}", name=names[int(other_ids[n])]),
            float(other[n]),
            names[int(other_ids[n])],
        )
        for n in sorted(kept, key=lambda n: -float(other[n]))
    )


def out_of_place(samples: Sequence[Sample], feature_set: FeatureSet) -> tuple[Suspect, ...]:
    """List the frames at the ends of bursts that show something else than their class.

    They are in the order of capture. Until they are reviewed nothing is learned from them.
    """
    shown = shown_classes(feature_set)
    found = []
    for row in np.flatnonzero(shown != feature_set.class_ids).tolist():
        name = feature_set.class_names[shown[row]] if shown[row] >= 0 else None
        reason = Reason.EMPTY if name in (None, BACKGROUND) else Reason.MISLABELLED
        text = Text("looks like {name}", name=name)
        if shown[row] == HALF_SEEN:
            text = Text("comes or goes")
        elif reason is Reason.EMPTY:
            text = Text("looks empty")
        found.append(Suspect(samples[row], reason, text, _OUT_OF_PLACE, name))
    return tuple(found)


def _another_is_likelier(evaluation: Evaluation) -> npt.NDArray[np.bool_]:
    """Say of which pictures, `(M,)`, the model finds another class than their own far likelier."""
    scores, own_ids, other_ids = evaluation.scores, evaluation.class_ids, evaluation.predicted_ids
    own, other = scores[np.arange(len(scores)), own_ids], evaluation.confidences
    usual = np.array(
        [
            float(np.median(scores[own_ids == c, c])) if (own_ids == c).any() else np.inf
            for c in range(len(evaluation.class_names))
        ]
    )
    likelier = (other > _TIMES_LIKELIER * own) & (other >= _AS_SURE * usual[other_ids])
    found: npt.NDArray[np.bool_] = likelier & (other_ids != own_ids)
    return found


def _nearest_are_of(
    other_id: int, own_id: int, row: int, feature_set: FeatureSet, inverse: npt.NDArray[np.float32]
) -> bool:
    """Say whether the neighbours in other bursts of a row are of the other class.

    Features are multiplied by `inverse`, `(N,)`, to get length 1.
    """
    similarities = (feature_set.features @ feature_set.features[row]) * inverse
    similarities[feature_set.burst_ids == feature_set.burst_ids[row]] = -np.inf
    most = min(_NEIGHBOURS, len(similarities) - 1)
    nearest = feature_set.class_ids[np.argpartition(-similarities, most)[:most]]
    return int((nearest == other_id).sum()) >= _OF_THE_OTHER and own_id not in nearest


def _confused(
    of_class: npt.NDArray[np.bool_], doubted: npt.NDArray[np.int64], bursts: npt.NDArray[np.str_]
) -> bool:
    """Say whether too much of a class looks mislabelled for that to be the reason.

    Of the M samples that were held out `of_class` tells which are of the class, `doubted` are
    the rows that look mislabelled.
    """
    if len(np.unique(bursts[of_class])) < _BURSTS_TO_COMPARE:
        return True
    doubted = doubted[of_class[doubted]]
    most = max(_FEW, _MOST_OF_A_CLASS * int(of_class.sum()))
    return len(doubted) > most and len(np.unique(bursts[doubted])) > 1


def find_suspects(
    samples: Sequence[Sample],
    qualities: Mapping[str, PictureQuality],
    doubtful: Sequence[Suspect] = (),
    reviewed: AbstractSet[str] = frozenset(),
) -> tuple[Suspect, ...]:
    """List suspect samples, the worst first; each once, for its worst reason.

    All samples are needed: how sharp a picture has to be only its burst and class can tell. Not
    all need have been measured; qualities are known by image hash. What was `reviewed`, by hash, is
    not asked about again.
    """
    worst = {suspect.sample.path: suspect for suspect in doubtful}
    for suspect in _of_bad_quality([s for s in samples if s.image_sha256 in qualities], qualities):
        known = worst.get(suspect.sample.path)
        if known is None or known.severity < suspect.severity:
            worst[suspect.sample.path] = suspect
    asked = (s for s in worst.values() if s.sample.image_sha256 not in reviewed)
    return tuple(sorted(asked, key=lambda s: -s.severity))


def _of_bad_quality(
    samples: Sequence[Sample], qualities: Mapping[str, PictureQuality]
) -> Iterator[Suspect]:
    by_class: dict[str, list[int]] = {}
    by_burst: dict[tuple[str, str], list[int]] = {}
    for n, sample in enumerate(samples):
        by_class.setdefault(sample.class_name, []).append(n)
        by_burst.setdefault((sample.class_name, sample.burst_id), []).append(n)
    measured = np.array([_measures(qualities[s.image_sha256]) for s in samples]).reshape(-1, 4)
    for (class_name, _), rows in by_burst.items():
        own_class = by_class[class_name]
        of_burst = len(rows) >= _PEERS
        peers = measured[rows if of_burst else own_class]
        if len(peers) < _PEERS:
            continue
        others = measured[np.setdiff1d(own_class, rows)] if of_burst else measured[:0]
        for n in rows:
            if verdict := _verdict(measured[n], peers, others):
                reason, text, severity = verdict
                yield Suspect(samples[n], reason, text, severity)


def _measures(quality: PictureQuality) -> tuple[float, float, float, float]:
    """Sharpness in doublings, plain and of the picture's contrast; the clipped parts."""
    sharpness = quality.sharpness + 0.1  # of a picture without any edge
    in_contrast = sharpness / (quality.contrast + 1.0)
    return float(np.log2(sharpness)), float(np.log2(in_contrast)), quality.white, quality.black


def _verdict(
    own: npt.NDArray[np.float64], peers: npt.NDArray[np.float64], others: npt.NDArray[np.float64]
) -> tuple[Reason, Text, float] | None:
    """Judge a picture by its peers, and by the rest of its class where these are a burst."""
    white, black = (float(own[n] - np.median(peers[:, n])) for n in (2, 3))
    if white > _TOO_BRIGHT:
        return Reason.TOO_BRIGHT, Text("too bright"), min(1.0, 0.3 + white)
    if black > _TOO_DARK:
        return Reason.TOO_DARK, Text("too dark"), min(1.0, 0.3 + black)
    fall = _fall(own[0], peers[:, 0])
    if fall > _BLURRED and _fall(own[1], peers[:, 1]) > _BLURRED_IN_CONTRAST:
        return Reason.BLURRED, Text("blurred"), min(1.0, fall / (2 * _BLURRED))
    if len(others) >= _PEERS:
        fall = _fall(own[0], others[:, 0])
        in_contrast = _fall(own[1], others[:, 1])
        if fall > _BLURRED_BURST and in_contrast > _BLURRED and own[0] < others[:, 0].min() - 1:
            return Reason.BLURRED, Text("blurred"), min(1.0, fall / (2 * _BLURRED_BURST))
    return None


def _fall(own: float, peers: npt.NDArray[np.float64]) -> float:
    """Say how far below its peers' median a value is; 0 where it is within their spread."""
    median = float(np.median(peers))
    spread = 1.4826 * float(np.median(np.abs(peers - median)))  # a normal's standard deviation
    fall = median - own
    return fall if fall > _SPREADS * max(spread, _LEAST_SPREAD) else 0.0
