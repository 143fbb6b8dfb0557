"""Small TFLite files whose answers are known, of the shape of a backbone's extractor."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flatbuffers  # type: ignore[import-untyped]  # publishes no types
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge_classifier.export.flatbuffer import FLOAT16, FLOAT32, Graph
from edge_classifier.features.extractors import extractor_path
from edge_classifier.features.weights import CacheFolders, record_of

BLOCK = 32
"""Pixels a side that become one place of the feature map."""


def averaging(size: int = 224) -> bytes:
    """Make a network without weights: `(1, S, S, 3)` to its means over blocks of 32 x 32."""
    return _written(size, [_pooling()], [])


def averaging_and_mixing(channels: int, size: int = 224, bias: float = 0.1) -> bytes:
    """Make one that then takes each place's `channels` random sums of red, green and blue."""
    options = schema.Conv2DOptionsT()
    options.padding = schema.Padding.VALID
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    conv = schema.OperatorT()
    conv.opcodeIndex, conv.inputs, conv.outputs = 1, [1, 2, 3], [4]
    conv.builtinOptionsType = schema.BuiltinOptions.Conv2DOptions
    conv.builtinOptions = options
    chance = np.random.default_rng(0)
    weights = chance.standard_normal((channels, 1, 1, 3)).astype(np.float32)
    return _written(size, [_pooling(), conv], [weights, np.full(channels, bias, np.float32)])


def keep_compiled(
    network: bytes, name: str, weights_sha256: str, folders: CacheFolders | None = None
) -> Path:
    """Put a network into the caches, by default this user's, as if it had been compiled there."""
    folders = folders or CacheFolders.of_this_user()
    path = extractor_path(folders.extractors, name, weights_sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(network)
    record_of(path).write_text(hashlib.sha256(network).hexdigest())
    return path


def with_one_word_spoilt(network: bytes) -> Iterator[bytes]:
    """Spoil single words of the built-in network: at least one of these makes LiteRT crash.

    Found with `tools/fuzzing --target tflite`: the runtime follows offsets without looking.
    """
    end = len(network) // 4 * 4
    for place in range(end - 40_000, end, 1_000):
        for at in range(place, place + 64, 4):
            if network[at : at + 4].count(0) > 1:  # an offset or a count, not a weight
                yield network[:at] + b"\xff" * 4 + network[at + 4 :]
                break


def _pooling() -> Any:
    options = schema.Pool2DOptionsT()
    options.padding = schema.Padding.VALID
    options.strideH = options.strideW = options.filterHeight = options.filterWidth = BLOCK
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0], [1]
    operator.builtinOptionsType = schema.BuiltinOptions.Pool2DOptions
    operator.builtinOptions = options
    return operator


def _written(size: int, operators: list[Any], weights: list[np.ndarray]) -> bytes:
    places = size // BLOCK
    graph = schema.SubGraphT()
    graph.tensors = [_tensor("image", (1, size, size, 3)), _tensor("means", (1, places, places, 3))]
    model = schema.ModelT()
    model.buffers = [schema.BufferT()]
    for number, array in enumerate(weights, 1):
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        model.buffers.append(buffer)
        graph.tensors.append(_tensor(f"weights {number}", array.shape, buffer=number))
    if weights:
        graph.tensors.append(_tensor("features", (1, places, places, len(weights[0]))))
    graph.inputs, graph.outputs, graph.operators = [0], [len(graph.tensors) - 1], operators
    codes = (schema.BuiltinOperator.AVERAGE_POOL_2D, schema.BuiltinOperator.CONV_2D)
    model.operatorCodes = [_code(code) for code in codes[: len(operators)]]
    model.version, model.subgraphs = 3, [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(name: str, shape: tuple[int, ...], *, buffer: int = 0) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), 0, buffer
    return tensor


def _code(builtin: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = 1
    return code


def float_operators(content: bytes) -> list[str]:
    """Name the operators of a TFLite file that compute with floats."""
    graph = Graph(content)
    found = []
    for operator in graph.operators:
        tensors = [int(n) for n in (*operator.inputs, *operator.outputs) if n >= 0]
        if any(graph.tensors[n].type in (FLOAT32, FLOAT16) for n in tensors):
            found.append(graph.name_of(operator))
    return found
