from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from alphacut_training import augment, pairs, store
from alphacut_training.dataset import Plain, Varied, tensors
from alphacut_training.store import Store

from .conftest import disc


@pytest.fixture
def kept(discs: Callable[[int], Path]) -> Store:
    return store.build(pairs.find(discs(6))[0])[0]


def varied(kept: Store, **changes: object) -> Varied:
    options = {"seed": 3, "composites": 0.5, **changes}
    return Varied(kept, range(len(kept)), 64, **options)  # type: ignore[arg-type]


def test_the_same_seed_and_epoch_draw_the_same_variations(kept: Store) -> None:
    first, second = varied(kept), varied(kept)
    for index in range(len(kept)):
        assert all(torch.equal(*both) for both in zip(first[index], second[index], strict=True))


def test_another_epoch_draws_others(kept: Store) -> None:
    first, second = varied(kept), varied(kept)
    second.epoch = 1
    assert not any(torch.equal(first[index][0], second[index][0]) for index in range(len(kept)))


def test_the_mask_goes_where_the_picture_goes() -> None:
    """Discs are bright on dark ground, so brightness tells where the subject really is."""
    for number in range(40):
        picture, mask = augment.vary(disc(number), 96, np.random.default_rng(number))
        values, inside = np.asarray(picture.convert("L"), float), np.asarray(mask) > 200
        assert inside.any()
        assert values[inside].mean() > values[np.asarray(mask) < 50].mean() + 20


def test_a_composite_takes_the_subject_and_leaves_its_background() -> None:
    green = Image.new("RGB", (96, 96), (0, 200, 0))
    for number in range(20):
        picture, mask = augment.composite(disc(number), green, np.random.default_rng(number))
        outside = np.asarray(mask) == 0
        assert (np.asarray(picture)[outside] == (0, 200, 0)).all()
        assert mask.size == picture.size == (96, 96)


def test_backgrounds_alone_have_nothing_to_find(kept: Store) -> None:
    empty = np.full((1, 32, 32, 3), 90, np.uint8)
    examples = varied(kept, composites=0.0, backgrounds=empty, negatives=0.9)
    masks = [float(examples[index][1].max()) for index in range(len(kept))]
    assert masks.count(0.0) >= 3
    assert varied(kept, composites=0.0)[0][1].max() == 1


def test_plain_examples_are_normalised_by_their_own_maximum(kept: Store) -> None:
    image, mask = Plain(kept, [0], 64)[0]
    assert image.shape == (3, 64, 64)
    assert image.dtype == mask.dtype == torch.float32
    assert float(mask.min()) == 0
    assert float(mask.max()) == 1
    dark, bright = (tensors(np.full((4, 4, 3), value, np.uint8), np.zeros((4, 4), np.uint8))[0] for value in (50, 250))
    assert torch.equal(dark, bright)
    assert float(dark[0, 0, 0]) == pytest.approx((1 - 0.485) / 0.229)


def test_a_black_picture_is_no_division_by_zero() -> None:
    assert torch.isfinite(tensors(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8))[0]).all()
