"""The student, tensor by tensor Keras' MobileNet v1, and its training-only heads. Needs PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Output channels at width 1.0 and stride of the 13 depthwise-separable blocks.
BLOCKS = (
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
MIDDLE_BLOCK = 10  # the last one at stride 16, counted from 0
EPSILON = 1e-3


def _pad(x: Tensor) -> Tensor:
    # Keras pads ((0, 1), (0, 1)) before a convolution of stride 2, whatever the size.
    return functional.pad(x, (0, 1, 0, 1))


class Block(nn.Module):  # type: ignore[misc]  # PyTorch is not checked
    """A depthwise 3x3 and a pointwise 1x1 convolution, each with batch norm and ReLU6."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        """Make a block of the given channels and stride."""
        super().__init__()
        self.stride = stride
        padding = 1 if stride == 1 else 0
        self.depthwise = nn.Conv2d(inputs, inputs, 3, stride, padding, groups=inputs, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(inputs, EPSILON, 0.02)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.pointwise_norm = nn.BatchNorm2d(outputs, EPSILON, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, h, w)`` to ``(B, outputs, h / stride, w / stride)``."""
        x = _pad(x) if self.stride > 1 else x
        x = functional.relu6(self.depthwise_norm(self.depthwise(x)), inplace=True)
        return functional.relu6(self.pointwise_norm(self.pointwise(x)), inplace=True)


class Student(nn.Module):  # type: ignore[misc]  # PyTorch is not checked
    """MobileNet v1 without top."""

    def __init__(self, alpha: float) -> None:
        """Make a student with random weights, ``alpha`` times as wide as the full network."""
        super().__init__()
        channels = int(32 * alpha)
        self.stem = nn.Conv2d(3, channels, 3, 2, 0, bias=False)
        self.stem_norm = nn.BatchNorm2d(channels, EPSILON, 0.02)
        self.blocks = nn.ModuleList()
        for width, stride in BLOCKS:
            outputs = int(width * alpha)
            self.blocks.append(Block(channels, outputs, stride))
            channels = outputs
        self.width = channels
        self.middle_width = int(BLOCKS[MIDDLE_BLOCK][0] * alpha)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                mode = "fan_in" if module.groups > 1 else "fan_out"
                nn.init.kaiming_normal_(module.weight, mode=mode)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give the maps at stride 16 and 32 for ``(B, 3, s, s)`` RGB in [-1, 1]."""
        x = functional.relu6(self.stem_norm(self.stem(_pad(x))), inplace=True)
        middle = x
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number == MIDDLE_BLOCK:
                middle = x
        return middle, x

    def keras_arrays(self) -> dict[str, NDArray[np.float32]]:
        """All weights under the paths that Keras gives them, in Keras' layout and order."""
        arrays: dict[str, NDArray[np.float32]] = {}

        def add_norm(name: str, norm: nn.BatchNorm2d) -> None:
            arrays[f"{name}/gamma"] = norm.weight.detach().numpy().copy()
            arrays[f"{name}/beta"] = norm.bias.detach().numpy().copy()
            arrays[f"{name}/moving_mean"] = norm.running_mean.numpy().copy()
            arrays[f"{name}/moving_variance"] = norm.running_var.numpy().copy()

        def kernel(convolution: nn.Conv2d, order: tuple[int, ...]) -> NDArray[np.float32]:
            weight: NDArray[np.float32] = convolution.weight.detach().numpy()
            return np.ascontiguousarray(weight.transpose(order))

        arrays["conv1/kernel"] = kernel(self.stem, (2, 3, 1, 0))
        add_norm("conv1_bn", self.stem_norm)
        for number, block in enumerate(self.blocks, 1):
            arrays[f"conv_dw_{number}/kernel"] = kernel(block.depthwise, (2, 3, 0, 1))
            add_norm(f"conv_dw_{number}_bn", block.depthwise_norm)
            arrays[f"conv_pw_{number}/kernel"] = kernel(block.pointwise, (2, 3, 1, 0))
            add_norm(f"conv_pw_{number}_bn", block.pointwise_norm)
        return arrays


class Heads(nn.Module):  # type: ignore[misc]  # PyTorch is not checked
    """Linear maps from the student's features to what the teachers say; thrown away later."""

    def __init__(self, student: Student, wide: int = 1280, narrow: int = 1280) -> None:
        """Make heads for ``student`` and teachers of the given pooled widths."""
        super().__init__()
        self.logits = nn.Linear(student.width, 1001)
        self.pooled = nn.Linear(student.width, wide + narrow)
        self.deep = nn.Conv2d(student.width, 320, 1)
        self.middle = nn.Conv2d(student.middle_width, 96, 1)
