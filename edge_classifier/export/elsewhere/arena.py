"""How much memory TensorFlow Lite Micro needs for a model, planned as its own planner does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edge_classifier.export.flatbuffer import Graph

_ALIGNED: Final = 16

_OF_TENSOR: Final = 24
_OF_OPERATOR: Final = 144
_OF_CHANNEL: Final = 8
_OF_ALL: Final = 2048
"""Bytes that the interpreter keeps beside what is computed, on a 64-bit machine; measured within
5 % on three networks, and less on a microcontroller, whose pointers are half as long."""


def arena_bytes(graph: Graph) -> int:
    """Return how large an arena an int8 graph needs, with the reference kernels.

    Kernels that are made for a processor may want to have more, to work in.
    """
    channels = 0
    for operator in graph.operators:
        weights = graph.tensors[int(operator.inputs[1])] if len(operator.inputs) > 1 else None
        scales = getattr(weights and weights.quantization, "scale", None)
        channels += 0 if scales is None else len(scales)
    kept = _OF_TENSOR * len(graph.tensors) + _OF_OPERATOR * len(graph.operators)
    return planned_bytes(graph) + kept + _OF_CHANNEL * channels + _OF_ALL


def planned_bytes(graph: Graph) -> int:
    """Return the bytes of all that is computed, when tensors share places that others have left.

    TensorFlow Lite Micro's greedy planner: the largest tensor first, each to the first gap among
    those that are in use at the same time.
    """
    lives = _lives(graph)
    placed: list[tuple[int, int, tuple[int, int]]] = []  # where, how many bytes, when
    sizes = {n: _bytes(graph, n) for n in lives}
    for tensor in sorted(lives, key=lambda n: (-sizes[n], -n)):
        first, last = lives[tensor]
        place = 0
        for taken, size, (begin, end) in sorted(placed):
            if end < first or begin > last:
                continue
            if taken - place >= sizes[tensor]:
                break
            place = max(place, taken + size)
        placed.append((place, sizes[tensor], lives[tensor]))
    return max((place + size for place, size, _ in placed), default=0)


def _lives(graph: Graph) -> dict[int, tuple[int, int]]:
    """Say of each tensor that is computed between which operators it is needed."""
    lives = {graph.input: (0, 0)}
    for step, operator in enumerate(graph.operators, start=1):
        for tensor in map(int, (*operator.inputs, *operator.outputs)):
            if tensor >= 0 and graph.values(tensor) is None:
                lives[tensor] = (lives.get(tensor, (step, step))[0], step)
    return lives | {n: (lives[n][0], len(graph.operators)) for n in graph.outputs}


def _bytes(graph: Graph, tensor: int) -> int:
    return math.ceil(math.prod(graph.shape(tensor)) / _ALIGNED) * _ALIGNED
