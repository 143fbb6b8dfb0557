"""What a runner looks at: one or several parts of each picture, each with an answer of its own."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .console import say
from .errors import InvalidOptionError, InvalidValueError
from .framing import NO_FRAMING, TURNS, Framing, Region
from .rest import Rest
from .verdict import Smoother

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from .bundle import Bundle
    from .classifier import Classifier
    from .frame import Frame
    from .preprocessing import Image
    from .verdict import Prediction


@dataclass(eq=False, slots=True)
class Look:
    """One part of the picture that is looked at, and what was said of it last.

    Attributes:
        answer: The newest one, steadied where that is wanted; `None` before the first.
        held: How many answers in a row had its label.
    """

    region: Region
    smoother: Smoother
    rest: Rest
    answer: Prediction | None = None
    held: int = 0

    def seen(self, frame: Frame) -> Frame:
        """Give a frame as outputs are told of it: with the region's name."""
        return replace(frame, region=self.region.name) if self.region.name else frame

    def part(self, frame: Frame) -> Frame:
        """Give a frame of what is looked at alone."""
        if self.region.is_whole:
            return self.seen(frame)
        return replace(frame, image=self.region.of(frame.image), region=self.region.name)


class Looks:
    """All that is looked at of a source's pictures.

    Args:
        bundle: Of the model that answers.
        frame: Says how pictures are framed, and what is looked at of each, from what was kept with
            the bundle, and how they were framed before; a picture of another shape is said, once.
        date: Dates a frame, in seconds; `None` where each stands for itself.
        every_frame: Whether frames are inferred on that equal the one before.

    Attributes:
        turned: Whether the last exchange has changed how pictures are turned.
    """

    def __init__(
        self,
        bundle: Bundle,
        frame: Callable[[Framing, Framing], tuple[Framing, tuple[Region, ...]]],
        date: Callable[[Frame], float] | None = None,
        *,
        every_frame: bool = True,
    ) -> None:
        self._frame, self._date, self._every_frame = frame, date, every_frame
        self._kept, self.turned = bundle.framing, False
        self._begin(*frame(bundle.framing, NO_FRAMING), bundle.smoothing_s)

    def exchanged(self, classifier: Classifier) -> None:
        """Answer by another model from now on, which may have been taught with another framing."""
        bundle = classifier.bundle
        framing, regions = self.framing, tuple(look.region for look in self.all)
        if bundle.framing != self._kept:
            self._kept = bundle.framing
            framing, regions = self._frame(bundle.framing, framing)
        self.turned = (framing.rotate, framing.flip) != (self.framing.rotate, self.framing.flip)
        self._begin(framing, regions, bundle.smoothing_s)

    def _begin(self, framing: Framing, regions: Sequence[Region], smoothing_s: float) -> None:
        self.framing, self._said = framing, ""
        self.all = tuple(
            Look(region, Smoother(smoothing_s), Rest(every_frame=self._every_frame))
            for region in regions
        )

    def upright(self, image: Image) -> Image:
        """Bring a picture of the source upright."""
        return self.framing.upright(image)

    @property
    def resting(self) -> bool:
        """Whether nothing of the last picture was inferred on."""
        return all(look.rest.resting for look in self.all)

    def settled(self, hold: int) -> bool:
        """Say whether all is at rest, and no label is still to hold for more of so many frames."""
        return self.resting and all(look.held >= hold for look in self.all)

    def prepare(self, classifier: Classifier, image: Image) -> npt.NDArray[Any] | None:
        """Bring an upright picture into the network's input, once for each region.

        Returns:
            `(number of regions, input size, input size, 3)`; `None` where all are at rest, and
            nobody may need it.
        """
        trouble = self.framing.trouble(image)
        if trouble and not self._said:
            self._said = trouble
            say(f"{trouble}: choose it anew, or name it by --region.")
        if self.resting:
            return None
        parts = [classifier.prepare(look.region.of(image)) for look in self.all]
        return np.stack(parts) if len(parts) > 1 else parts[0][None]

    def answer(self, look: Look, prediction: Prediction, frame: Frame) -> Prediction:
        """Take what was said of a part of a frame alone; return its steady answer."""
        if self._date:
            prediction = look.smoother.update(prediction, self._date(frame))
        same = look.answer is not None and look.answer.label == prediction.label
        look.held = look.held + 1 if same else 1
        look.answer = prediction
        return prediction


def answers_of(looks: Sequence[Look]) -> tuple[tuple[Region, Prediction], ...]:
    """Return what was said of each part last."""
    return tuple((look.region, look.answer) for look in looks if look.answer)


def add_framing_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says how pictures are framed."""
    parser.add_argument(
        "--region",
        type=_region,
        action="append",
        metavar="[NAME=]LEFT,TOP,RIGHT,BOTTOM",
        help="look at this part of the picture only, in parts of its width and height, like "
        "0.25,0,0.75,1, or whole; given several times with names, each part has an answer of its "
        "own (default for cameras: what was chosen where it was taught)",
    )
    add_turning_arguments(parser)


def add_turning_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says how the camera hangs."""
    parser.add_argument(
        "--rotate",
        type=int,
        choices=TURNS,
        metavar="|".join(map(str, TURNS)),
        help="turn pictures by so many degrees clockwise, as for a camera that hangs upside down",
    )
    parser.add_argument(
        "--flip",
        action=argparse.BooleanOptionalAction,
        help="exchange left and right of pictures, after they were turned",
    )


def turned(options: argparse.Namespace, kept: Framing) -> Framing:
    """Change how pictures are turned to what options of `add_turning_arguments` say, if they do."""
    return replace(
        kept,
        rotate=kept.rotate if options.rotate is None else options.rotate,
        flip=kept.flip if options.flip is None else options.flip,
    )


def framing_of(
    options: argparse.Namespace, kept: Framing, before: Framing, name: str, *, live: bool
) -> tuple[Framing, tuple[Region, ...]]:
    """Say how pictures of a source are framed, and what of them is looked at.

    What was kept with the classifier is for a source that is `live`; what the options of
    `add_framing_arguments` say goes before it, for any. Either is told in a line, with the source's
    `name`, where it is not as `before`.

    Raises:
        InvalidOptionError: if regions cannot be told apart.
    """
    asked = asked_regions(options)
    framing = turned(options, kept if live else NO_FRAMING)
    if asked:
        framing = replace(framing, region=asked[0], aspect=None)
    if kept not in (NO_FRAMING, framing):
        say(f"{name} is {told(framing, asked)}; where it was taught it was {told(kept)}.")
    elif framing != before or len(asked) > 1:
        say(f"{name} is {told(framing, asked)}.")
    return framing, asked or (framing.region,)


def told(framing: Framing, regions: Sequence[Region] = ()) -> str:
    """Say how pictures are framed: the end of a sentence about a camera."""
    parts = [f"turned by {framing.rotate} degrees"] if framing.rotate else []
    parts += ["flipped"] if framing.flip else []
    shown = [f"{r.name} {r}".strip() for r in regions or (framing.region,) if not r.is_whole]
    parts += [f"looked at in {' and '.join(shown)} only"] if shown else ["looked at whole"]
    return ", ".join(parts)


def asked_regions(options: argparse.Namespace) -> tuple[Region, ...]:
    """Return the regions that are asked for.

    Raises:
        InvalidOptionError: if they cannot be told apart.
    """
    regions = tuple(options.region or ())
    names = [region.name for region in regions]
    if len(names) > 1 and "" in names:
        raise InvalidOptionError(
            "--region: several regions need a name each, like left=0,0,0.5,1 and right=0.5,0,1,1."
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidOptionError(f"--region: two regions are named {twice}; name one otherwise.")
    return regions


def _region(text: str) -> Region:
    try:
        return Region.parse(text)
    except InvalidValueError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None
