"""From a Keras model to a TFLite file. Imports TensorFlow when called: for child processes only."""

from __future__ import annotations

from typing import Any


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


def convert(frozen: Any) -> bytes:  # noqa: ANN401 - a TensorFlow function
    """Convert to a TFLite file for one image at a time, in float32."""
    import tensorflow as tf  # noqa: PLC0415 - slow, and for child processes only

    return bytes(tf.lite.TFLiteConverter.from_concrete_functions([frozen], tf.Module()).convert())
