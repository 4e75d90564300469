"""A line through samples of memory, and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from alphacut_loadtest.bench import growth

IMAGES = list(range(0, 5001, 100))


def test_the_slope_of_a_straight_line_is_known_for_sure() -> None:
    found = growth.line(IMAGES, [1_000_000 + 7 * images for images in IMAGES])
    assert found.bytes_per_image == pytest.approx(7)
    assert found.error_bytes_per_image == pytest.approx(0, abs=1e-6)
    assert found.is_certain
    assert found.over(5000) == "+0.04 ± 0.00 MB"


def test_a_leak_shows_through_noise() -> None:
    noise = np.random.default_rng(0).normal(0, 1e6, len(IMAGES))
    found = growth.line(IMAGES, [int(2e8 + 2000 * images + it) for images, it in zip(IMAGES, noise, strict=True)])
    assert found.is_certain
    assert found.bytes_per_image == pytest.approx(2000, rel=0.15)


def test_noise_alone_is_no_growth_in_nineteen_of_twenty() -> None:
    chance = np.random.default_rng(1)
    certain = [
        growth.line(IMAGES, [int(2e8 + it) for it in chance.normal(0, 1e6, len(IMAGES))]).is_certain for _ in range(400)
    ]
    assert sum(certain) < 400 / 20


def test_memory_that_stands_still_does_not_grow() -> None:
    assert not growth.line(IMAGES, [200_000_000] * len(IMAGES)).is_certain


def test_samples_that_resemble_their_neighbours_are_less_sure() -> None:
    steps = np.random.default_rng(2).normal(0, 1e5, len(IMAGES))
    independent = growth.line(IMAGES, [int(2e8 + it) for it in steps])
    wave = 1e5 * np.sin(np.array(IMAGES) / 400)
    waving = growth.line(IMAGES, [int(2e8 + it) for it in wave])
    assert waving.error_bytes_per_image > 1.5 * independent.error_bytes_per_image
