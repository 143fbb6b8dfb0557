"""The graph model of TensorFlow.js: a TensorFlow graph as JSON, and its constants in a binary file.

Written here, because the package `tensorflowjs` can be installed only beside an older TensorFlow
and NumPy than ours. Imports TensorFlow when called: for child processes only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.graphs.tflite import freeze

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

MODEL: Final = "model.json"
WEIGHTS: Final = "weights.bin"


def write_graph_model(model: Any, folder: Path, about: Mapping[str, str]) -> None:  # noqa: ANN401 - a keras.Model
    """Write a Keras model with one input and a dictionary of outputs.

    The outputs become nodes of these names (TensorFlow flattens dictionaries in the order of their
    keys); `about` goes in as `userDefinedMetadata`.
    """
    import tensorflow as tf  # noqa: PLC0415 - slow, and for child processes only
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - as above

    frozen = freeze(model, batch=None)
    graph = frozen.graph.as_graph_def()
    outputs = dict(zip(sorted(model.output), frozen.outputs, strict=True))
    for name, tensor in outputs.items():
        node = graph.node.add(name=name, op="Identity", input=[tensor.op.name])
        node.attr["T"].type = tensor.dtype.as_datatype_enum
    weights, content = [], []
    for node in graph.node:
        if node.op == "Const":
            array = tf.make_ndarray(node.attr["value"].tensor)
            shape = list(array.shape)
            weights.append({"name": node.name, "shape": shape, "dtype": array.dtype.name})
            content.append(array.tobytes())
            node.attr["value"].tensor.CopyFrom(
                tf.make_tensor_proto([], tf.as_dtype(array.dtype), [0])
            )
    described = {
        "format": "graph-model",
        "generatedBy": tf.__version__,
        "convertedBy": "edge-classifier",
        "signature": {
            "inputs": {tensor.op.name: _described(tensor) for tensor in frozen.inputs},
            "outputs": {
                name: {**_described(tensor), "name": f"{name}:0"}
                for name, tensor in outputs.items()
            },
        },
        "userDefinedMetadata": dict(about),
        "modelTopology": MessageToDict(graph),
        "weightsManifest": [{"paths": [WEIGHTS], "weights": weights}],
    }
    (folder / MODEL).write_text(json.dumps(described), encoding="utf-8")
    (folder / WEIGHTS).write_bytes(b"".join(content))


def _described(tensor: Any) -> dict[str, Any]:  # noqa: ANN401 - a TensorFlow tensor
    sizes = [str(-1 if size is None else size) for size in tensor.shape]
    return {
        "name": tensor.name,
        "dtype": "DT_FLOAT",
        "tensorShape": {"dim": [{"size": size} for size in sizes]},
    }


def read_graph_model(folder: Path) -> Callable[[Any], Mapping[str, Any]]:
    """Read such a model again, for TensorFlow; returns what gives the outputs of a batch."""
    import tensorflow as tf  # noqa: PLC0415 - slow, and for child processes only
    from google.protobuf.json_format import ParseDict  # noqa: PLC0415 - as above

    described = json.loads((folder / MODEL).read_text(encoding="utf-8"))
    graph = ParseDict(described["modelTopology"], tf.compat.v1.GraphDef())
    (manifest,) = described["weightsManifest"]
    content, start = (folder / WEIGHTS).read_bytes(), 0
    nodes = {node.name: node for node in graph.node}
    for weight in manifest["weights"]:
        count = int(np.prod(weight["shape"], dtype=np.int64))
        array = np.frombuffer(content, weight["dtype"], count, start).reshape(weight["shape"])
        start += array.nbytes
        nodes[weight["name"]].attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array))
    (image,) = described["signature"]["inputs"].values()
    outputs = {name: each["name"] for name, each in described["signature"]["outputs"].items()}
    whole = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph, name=""), [])
    run: Callable[[Any], Mapping[str, Any]] = whole.prune(image["name"], outputs)
    return lambda images: run(tf.constant(images))
