"""Residual U-blocks, the cells of U²-Net (Qin et al. 2020, https://arxiv.org/abs/2005.09007, section 3.1).

Names of layers are those of the authors' code, so that their checkpoints load as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ConvBnRelu(nn.Module):
    """A convolution 3x3 that keeps the size, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(outputs)
        self.relu_s1 = nn.ReLU(inplace=True)

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W)."""
        activated: Tensor = self.relu_s1(self.bn_s1(self.conv_s1(image)))
        return activated


class Rsu(nn.Module):
    """RSU-L: a small U-Net of height L whose result is added to its own first convolution's.

    Args:
        height: L, the number of encoder convolutions; L - 2 of them are followed by a pooling by two.
        inputs: Channels that come in.
        middle: Channels inside.
        outputs: Channels that go out.
    """

    def __init__(self, height: int, inputs: int, middle: int, outputs: int) -> None:
        super().__init__()
        self.height = height
        self.rebnconvin = ConvBnRelu(inputs, outputs)
        for level in range(1, height + 1):
            first, last = level == 1, level == height
            self.add_module(
                f"rebnconv{level}", ConvBnRelu(outputs if first else middle, middle, dilation=2 if last else 1)
            )
        for level in range(1, height):
            self.add_module(f"rebnconv{level}d", ConvBnRelu(2 * middle, outputs if level == 1 else middle))
        self.pool = nn.MaxPool2d(2, stride=2, ceil_mode=True)

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W)."""
        start: Tensor = self.rebnconvin(image)
        encoded: list[Tensor] = []
        current: Tensor = start
        for level in range(1, self.height + 1):
            current = self.get_submodule(f"rebnconv{level}")(current)
            encoded.append(current)
            if level < self.height - 1:
                current = self.pool(current)
        current = encoded.pop()
        for level in range(self.height - 1, 0, -1):
            skip = encoded.pop()
            current = self.get_submodule(f"rebnconv{level}d")(torch.cat((resized(current, skip), skip), 1))
        return start + current


class RsuDilated(nn.Module):
    """RSU-4F: the same idea with dilation in the place of pooling, for maps that are small already."""

    def __init__(self, inputs: int, middle: int, outputs: int) -> None:
        super().__init__()
        self.rebnconvin = ConvBnRelu(inputs, outputs)
        self.rebnconv1 = ConvBnRelu(outputs, middle)
        self.rebnconv2 = ConvBnRelu(middle, middle, dilation=2)
        self.rebnconv3 = ConvBnRelu(middle, middle, dilation=4)
        self.rebnconv4 = ConvBnRelu(middle, middle, dilation=8)
        self.rebnconv3d = ConvBnRelu(2 * middle, middle, dilation=4)
        self.rebnconv2d = ConvBnRelu(2 * middle, middle, dilation=2)
        self.rebnconv1d = ConvBnRelu(2 * middle, outputs)

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W)."""
        start = self.rebnconvin(image)
        one = self.rebnconv1(start)
        two = self.rebnconv2(one)
        three = self.rebnconv3(two)
        current = self.rebnconv3d(torch.cat((self.rebnconv4(three), three), 1))
        current = self.rebnconv2d(torch.cat((current, two), 1))
        current = self.rebnconv1d(torch.cat((current, one), 1))
        return torch.add(start, current)


def resized(image: Tensor, like: Tensor) -> Tensor:
    """Resize a map bilinearly to the height and width of another."""
    return functional.interpolate(image, size=like.shape[2:], mode="bilinear", align_corners=False)
