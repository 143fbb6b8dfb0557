"""From a Keras model to a TFLite file. Imports TensorFlow when called: for child processes only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from edge_classifier.export.formats import FLOAT32, INT8

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_FLOAT_TYPES: Final = (0, 1)  # float32 and float16, of TensorType in TFLite's schema


def freeze(model: Any, batch: int | None = 1) -> Any:  # noqa: ANN401 - Keras and TensorFlow publish no types
    """Turn a Keras model into one function of so many images, its variables made constants.

    `TFLiteConverter.from_keras_model` gives the same network, but takes five times as long, most
    of it in writing a SavedModel; and `from_concrete_functions` leaves variables outside the
    file unless they are constants.
    """
    import tensorflow as tf  # noqa: PLC0415 - slow, and for child processes only
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2  # noqa: PLC0415 - same

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow publishes no types
    def run(image: Any) -> Any:  # noqa: ANN401 - a symbolic tensor
        return model(image, training=False)

    traced = run.get_concrete_function(
        tf.TensorSpec((batch, *model.input_shape[1:]), tf.float32, name="image")
    )
    return convert_variables_to_constants_v2(traced)


def convert(
    frozen: Any,  # noqa: ANN401 - a TensorFlow function
    model_format: str = FLOAT32,
    representative: npt.NDArray[np.float32] | None = None,
) -> bytes:
    """Convert to a TFLite file for one image at a time.

    Inputs `(N, S, S, 3)` in `representative` calibrate int8.
    """
    import tensorflow as tf  # noqa: PLC0415 - slow, and for child processes only

    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], tf.Module())
    if model_format != FLOAT32:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if model_format == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if model_format == INT8 and representative is not None:
        converter.representative_dataset = lambda: ([image[None]] for image in representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        # MediaPipe refuses int8 tensors; a camera's pixels are uint8 anyway.
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.uint8
    return bytes(converter.convert())


def float_operators(content: bytes) -> list[str]:
    """Name the operators of a TFLite file that compute with floats."""
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 - slow to import

    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    found = []
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            tensors = [*operator.inputs, *operator.outputs]
            if any(n >= 0 and graph.tensors[n].type in _FLOAT_TYPES for n in tensors):
                found.append(names[max(code.builtinCode, code.deprecatedBuiltinCode)])
    return found
