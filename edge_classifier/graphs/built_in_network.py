"""The built-in backbone's network: MobileNet v1 with its batch norms folded into convolutions.

Folding comes before the weights are rounded to float16, so a TFLite file that stores them as
float16, one in float32 and the Keras model hold the same numbers: `keras.applications.MobileNet`
would have to be folded by whoever converts it, after the rounding.

The weights file is an `.npz` of float16 arrays in the network's order: `000:conv1/kernel`,
`001:conv1/bias`, `002:conv_dw_1/kernel` and so on, in Keras' layouts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.device.npz import read_arrays

if TYPE_CHECKING:
    import numpy.typing as npt

# Output channels at width 1.0 and stride of the 13 depthwise-separable blocks: Howard et al.,
# "MobileNets" (2017), table 1, as `keras.applications.MobileNet` has them.
_BLOCKS: Final = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)
_STEM_CHANNELS: Final = 32
_REDUCTION: Final = 32
_LARGEST_ALPHA: Final = 2.0
_LARGEST_INPUT: Final = 1024


@dataclass(frozen=True, slots=True)
class Convolution:
    """One convolution with bias, followed by ReLU6.

    Attributes:
        name: As `keras.applications.MobileNet` names it; its activation is `<name>_relu`.
        kernel_shape: `(h, w, inputs, outputs)`; of a depthwise one `(h, w, channels, 1)`.
        stride: 1 or 2.
        depthwise: Whether each channel has a filter of its own.
    """

    name: str
    kernel_shape: tuple[int, int, int, int]
    stride: int
    depthwise: bool = False

    @property
    def bias_shape(self) -> tuple[int]:
        """One number for each output channel."""
        return (self.kernel_shape[2 if self.depthwise else 3],)


def convolutions(alpha: float) -> list[Convolution]:
    """List the network's convolutions in order, `alpha` times as wide as the full network."""
    channels = int(_STEM_CHANNELS * alpha)
    found = [Convolution("conv1", (3, 3, 3, channels), 2)]
    for number, (width, stride) in enumerate(_BLOCKS, 1):
        outputs = int(width * alpha)
        found.append(Convolution(f"conv_dw_{number}", (3, 3, channels, 1), stride, depthwise=True))
        found.append(Convolution(f"conv_pw_{number}", (1, 1, channels, outputs), 1))
        channels = outputs
    return found


def weight_shapes(alpha: float) -> dict[str, tuple[int, ...]]:
    """The keys of the weights file in their order, and the shapes of what they hold."""
    shapes = [
        (f"{convolution.name}/{part}", shape)
        for convolution in convolutions(alpha)
        for part, shape in (("kernel", convolution.kernel_shape), ("bias", convolution.bias_shape))
    ]
    return {f"{number:03d}:{name}": shape for number, (name, shape) in enumerate(shapes)}


def read_weights(content: bytes, alpha: float) -> list[npt.NDArray[np.float32]]:
    """Read the `.npz` of a network's weights, of width `alpha`.

    Returns:
        A kernel and a bias for each convolution, in order; as float32, which holds every
        float16 exactly.

    Raises:
        ValueError: if it is no weights file of this network; says why, without the file's name.
    """
    shapes = weight_shapes(alpha)
    stored = read_arrays(
        content, {key: (shape, np.dtype(np.float16)) for key, shape in shapes.items()}
    )
    arrays = [array.astype(np.float32) for array in stored.values()]
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("it holds values that are no numbers")
    return arrays


def build_network(keras: Any, input_size: int, alpha: float) -> Any:  # noqa: ANN401 - untyped
    """Make the network in Keras, with random weights that `set_weights` replaces.

    The input's side S is a multiple of 32 pixels, `alpha` the network's width. The package `keras`
    is handed in: whoever calls is in a process that may import it.

    Returns:
        A `keras.Model` from `(N, S, S, 3)` to `(N, S / 32, S / 32, 1024 * alpha)`.

    Raises:
        ValueError: if there is no such network.
    """
    if input_size % _REDUCTION or not _REDUCTION <= input_size <= _LARGEST_INPUT:
        raise ValueError(
            f"expected an input of a multiple of {_REDUCTION} px up to {_LARGEST_INPUT}, "
            f"received {input_size}"
        )
    if not 1 / _STEM_CHANNELS <= alpha <= _LARGEST_ALPHA:
        raise ValueError(f"expected a width of 1/32 to {_LARGEST_ALPHA}, received {alpha}")
    image = keras.Input((input_size, input_size, 3), name="image")
    x = image
    for convolution in convolutions(alpha):
        # "same" pads an even side ((0, 1), (0, 1)) at stride 2: what MobileNet's own padding
        # layers do. Every side here is even there, as the input is a multiple of 32.
        options = {"strides": convolution.stride, "padding": "same", "name": convolution.name}
        if convolution.depthwise:
            x = keras.layers.DepthwiseConv2D(3, **options)(x)
        else:
            height, width, _, outputs = convolution.kernel_shape
            x = keras.layers.Conv2D(outputs, (height, width), **options)(x)
        x = keras.layers.ReLU(6.0, name=f"{convolution.name}_relu")(x)
    return keras.Model(image, x, name="built_in")
