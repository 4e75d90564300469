"""U²-Net, full and small (Qin et al. 2020, https://arxiv.org/abs/2005.09007, section 3.2 and table 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from alphacut_core.errors import InvalidOptionError
from alphacut_training.rsu import Rsu, RsuDilated, resized

_HEIGHTS = {"1": 7, "2": 6, "3": 5, "4": 4}  # of the pooling blocks; stages 5 and 6 dilate instead
_ENCODER = ("1", "2", "3", "4", "5", "6")
_DECODER = ("5d", "4d", "3d", "2d", "1d")

Channels = tuple[int, int, int]
"""A block's channels: in, middle, out."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """The channels of every stage, by the stage's name: 1 to 6 down, 5d to 1d up again."""

    name: str
    channels: Mapping[str, Channels]


FULL = Architecture(
    "u2net",
    {
        "1": (3, 32, 64),
        "2": (64, 32, 128),
        "3": (128, 64, 256),
        "4": (256, 128, 512),
        "5": (512, 256, 512),
        "6": (512, 256, 512),
        "5d": (1024, 256, 512),
        "4d": (1024, 128, 256),
        "3d": (512, 64, 128),
        "2d": (256, 32, 64),
        "1d": (128, 16, 64),
    },
)
SMALL = Architecture(
    "u2netp",
    {
        "1": (3, 16, 64),
        **dict.fromkeys(("2", "3", "4", "5", "6"), (64, 16, 64)),
        **dict.fromkeys(("5d", "4d", "3d", "2d", "1d"), (128, 16, 64)),
    },
)
ARCHITECTURES: Mapping[str, Architecture] = {known.name: known for known in (FULL, SMALL)}


def architecture(name: str) -> Architecture:
    """Return an architecture by name.

    Raises:
        InvalidOptionError: There is none of that name.
    """
    if name not in ARCHITECTURES:
        raise InvalidOptionError(f"got architecture {name!r}; allowed are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]


class U2Net(nn.Module):
    """The network. Its seven maps are logits; ``sigmoid`` makes saliency of them.

    Args:
        shape: Channels of every stage.
    """

    def __init__(self, shape: Architecture = FULL) -> None:
        super().__init__()
        for stage, channels in shape.channels.items():
            self.add_module(f"stage{stage}", _block(stage, channels))
        self.pool = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        sources = ("1d", "2d", "3d", "4d", "5d", "6")
        for side, stage in enumerate(sources, start=1):
            self.add_module(f"side{side}", nn.Conv2d(shape.channels[stage][2], 1, 3, padding=1))
        self.outconv = nn.Conv2d(len(sources), 1, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Find the salient subject.

        Args:
            image: float (N, 3, H, W), normalised RGB.

        Returns:
            Seven maps of logits, float (N, 1, H, W): the fused one, then those of the sides, finest first.
        """
        encoded: list[Tensor] = []
        current = image
        for stage in _ENCODER:
            current = self.get_submodule(f"stage{stage}")(self.pool(current) if encoded else current)
            encoded.append(current)
        decoded = [encoded.pop()]
        for stage in _DECODER:
            skip = encoded.pop()
            block = self.get_submodule(f"stage{stage}")
            decoded.insert(0, block(torch.cat((resized(decoded[0], skip), skip), 1)))
        sides = [self.get_submodule(f"side{number}")(stage) for number, stage in enumerate(decoded, start=1)]
        sides = [sides[0], *(resized(side, sides[0]) for side in sides[1:])]
        return (self.outconv(torch.cat(sides, 1)), *sides)


def _block(stage: str, channels: Channels) -> nn.Module:
    height = _HEIGHTS.get(stage.removesuffix("d"))
    return RsuDilated(*channels) if height is None else Rsu(height, *channels)
