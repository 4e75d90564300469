"""What training and checking iterate over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from alphacut_core import geometry
from alphacut_core.geometry import Pixels
from alphacut_core.normalisation import IMAGENET_MEAN, IMAGENET_STD
from alphacut_training import augment
from alphacut_training.store import Store

Example = tuple[Tensor, Tensor]
"""Picture float (3, S, S), normalised; mask float (1, S, S), 0 to 1."""


class Plain(Dataset[Example]):
    """Pictures as they are, to check on.

    Args:
        store: All pictures.
        indices: Which of them.
        size: Side of the square in pixels.
    """

    def __init__(self, store: Store, indices: Sequence[int], size: int) -> None:
        self._store = store
        self._indices = list(indices)
        self.size = size

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, position: int) -> Example:
        picture, mask = sample(self._store, self._indices[position])
        square = mask.resize((self.size, self.size), Image.Resampling.BOX)
        return tensors(geometry.to_square(picture, self.size), np.asarray(square))


class Varied(Dataset[Example]):
    """Endless variations of pictures, the same for the same seed, epoch and place.

    Args:
        store: All pictures.
        indices: Which of them to train on.
        size: Side of the square in pixels.
        seed: Where chance starts.
        composites: Share of examples whose subject is put before another background, 0 to 1.
        backgrounds: Pictures without a subject, uint8 (N, H, W, 3); without any, backgrounds are taken from other
            pictures, whose own subjects count as well.
        negatives: Share of examples that are a background alone, with nothing to find in it, 0 to 1.
    """

    def __init__(
        self,
        store: Store,
        indices: Sequence[int],
        size: int,
        *,
        seed: int,
        composites: float,
        backgrounds: Pixels | None = None,
        negatives: float = 0.0,
    ) -> None:
        self._store = store
        self._indices = list(indices)
        self.size = size
        self._seed = seed
        self._composites = composites
        self._backgrounds = backgrounds if backgrounds is not None and len(backgrounds) else None
        self._negatives = negatives
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, position: int) -> Example:
        draw = np.random.default_rng((self._seed, self.epoch, position))
        picture, mask = augment.vary(self._drawn(position, draw), self.size, draw)
        return tensors(np.asarray(picture), np.asarray(mask))

    def _drawn(self, position: int, draw: np.random.Generator) -> augment.Sample:
        subject = sample(self._store, self._indices[position])
        chance = draw.random()
        background = self._background(subject, draw)
        if background is not None and chance < self._negatives:
            return background, Image.new("L", background.size)
        if chance > 1 - self._composites:
            return self._composite(subject, background, draw)
        return subject

    def _composite(
        self, subject: augment.Sample, background: Image.Image | None, draw: np.random.Generator
    ) -> augment.Sample:
        if background is not None:
            return augment.composite(subject, background, draw)
        behind, theirs = sample(self._store, self._indices[draw.integers(len(self._indices))])
        picture, mask = augment.composite(subject, behind, draw)
        return picture, Image.fromarray(np.maximum(np.asarray(mask), np.asarray(theirs)))

    def _background(self, subject: augment.Sample, draw: np.random.Generator) -> Image.Image | None:
        if self._backgrounds is None:
            return None
        chosen = self._backgrounds[draw.integers(len(self._backgrounds))]
        return Image.fromarray(chosen).resize(subject[0].size)


def sample(store: Store, index: int) -> augment.Sample:
    """Return a stored picture and its mask as images."""
    return Image.fromarray(store.images[index]), Image.fromarray(store.masks[index])


def tensors(picture: Pixels, mask: Pixels) -> Example:
    """Normalise a picture as the engines do: by its own maximum, then by ImageNet's statistics.

    Args:
        picture: uint8 (S, S, 3) RGB.
        mask: uint8 (S, S).
    """
    values = picture.astype(np.float32) / max(1, int(picture.max()))
    normal = (values - np.asarray(IMAGENET_MEAN, np.float32)) / np.asarray(IMAGENET_STD, np.float32)
    return torch.from_numpy(normal.transpose(2, 0, 1).copy()), torch.from_numpy(mask[None] / np.float32(255))
