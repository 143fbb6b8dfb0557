"""The samples of one moment, which cost nothing to note: lists that grow are shared, not copied."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain, islice
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from edge_classifier.values import Sample


class ClassSamples(Sequence["Sample"]):
    """The samples of one class at one moment, in the order of capture.

    The next moment shares the list and adds to its end, so one thread only may call `with_next`;
    any may read.

    Attributes:
        burst_count: How many bursts they are of.
    """

    __slots__ = ("_count", "_list", "burst_count")

    def __init__(self, samples: Iterable[Sample] = ()) -> None:
        self._list = list(samples)
        self._count = len(self._list)
        self.burst_count = len({sample.burst_id for sample in self._list})

    def with_next(self, sample: Sample) -> ClassSamples:
        """Add the sample that was captured last."""
        later = ClassSamples()
        same_burst = self._count and self._list[self._count - 1].burst_id == sample.burst_id
        later.burst_count = self.burst_count + (0 if same_burst else 1)
        went_on = self._count < len(self._list)  # from here, in another way
        later._list = self._list[: self._count] if went_on else self._list
        later._list.append(sample)
        later._count = self._count + 1
        return later

    def added_since(self, before: ClassSamples) -> Iterator[Sample]:
        """Give those that are not among the ones of a moment before."""
        if self._list is before._list:
            return (self._list[row] for row in range(before._count, self._count))
        known = set(map(id, before))  # who is put back or renamed is another object
        return (sample for sample in self if id(sample) not in known)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Sample]:
        return islice(self._list, self._count)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | Sequence[Sample]:
        rows = range(self._count)[index]
        return self._list[rows] if isinstance(rows, int) else [self._list[row] for row in rows]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ClassSamples):
            return NotImplemented
        if self._count != other._count:
            return False
        return self._list is other._list or all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # it is compared, never looked up


NO_SAMPLES = ClassSamples()


class Samples(Sequence["Sample"]):
    """The samples of a project at one moment: by class, then in the order of capture.

    Attributes:
        of_class: Those of each class that has any, in the order of the classes.
    """

    __slots__ = ("_ends", "of_class")

    def __init__(self, of_class: Mapping[str, ClassSamples]) -> None:
        self.of_class = {name: samples for name, samples in of_class.items() if samples}
        self._ends = list(accumulate(map(len, self.of_class.values())))

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> Samples:
        """Sort samples by class, in the order in which the classes come."""
        classes: dict[str, list[Sample]] = {}
        for sample in samples:
            classes.setdefault(sample.class_name, []).append(sample)
        return cls({name: ClassSamples(of_class) for name, of_class in classes.items()})

    def added_since(self, before: Samples) -> Iterator[Sample]:
        """Give those that are not among the ones of a moment before."""
        return chain.from_iterable(
            samples.added_since(before.of_class.get(name, NO_SAMPLES))
            for name, samples in self.of_class.items()
        )

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[Sample]:
        return chain.from_iterable(self.of_class.values())

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | Sequence[Sample]:
        rows = range(len(self))[index]
        return self._at(rows) if isinstance(rows, int) else [self._at(row) for row in rows]

    def _at(self, row: int) -> Sample:
        number = bisect_right(self._ends, row)
        samples = list(self.of_class.values())[number]
        return samples[row - self._ends[number] + len(samples)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Samples):
            return NotImplemented
        return list(self.of_class.items()) == list(other.of_class.items())

    __hash__ = None  # type: ignore[assignment]  # likewise
