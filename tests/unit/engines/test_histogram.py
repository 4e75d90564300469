"""Ranges for INT8: what each method covers of what flowed through a tensor."""

from __future__ import annotations

import numpy as np
import pytest

from alphacut_engines.histogram import METHODS, Histogram


def filled(*parts: np.ndarray) -> Histogram:
    histogram = Histogram()
    for part in parts:
        histogram.add(part.astype(np.float32))
    return histogram


@pytest.fixture
def with_outlier() -> Histogram:
    """A million values up to 1 and a single 50."""
    values = np.random.default_rng(0).uniform(0, 1, 1_000_000)
    return filled(values, np.array([50.0]))


def test_max_covers_everything(with_outlier: Histogram) -> None:
    low, high = with_outlier.range("max")
    assert low == 0
    assert 50 <= high <= 50.1


@pytest.mark.parametrize(("method", "highest"), [("percentile", 1.1), ("entropy", 5), ("least_squares", 30)])
def test_every_other_method_clips_a_lonely_outlier(with_outlier: Histogram, method: str, highest: float) -> None:
    assert 0.9 < with_outlier.range(method)[1] < highest


def test_values_beyond_the_bins_keep_what_was_counted() -> None:
    histogram = filled(np.linspace(0, 1, 100), np.linspace(0, 900, 100))
    assert histogram.counts.sum() == 200
    assert histogram.top >= 900


@pytest.mark.parametrize("method", METHODS)
def test_negative_values_make_the_range_symmetric(method: str) -> None:
    low, high = filled(np.linspace(-3, 1, 10_000)).range(method)
    assert low == -high
    assert 1 < high <= 3.01


@pytest.mark.parametrize("method", METHODS)
def test_a_tensor_that_is_always_zero_has_a_range(method: str) -> None:
    low, high = filled(np.zeros(100), np.zeros(100)).range(method)
    assert low == 0
    assert 0 < high < 1e-5
