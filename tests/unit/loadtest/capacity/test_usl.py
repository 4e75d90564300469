from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest.capacity import usl

CALLERS = (1, 2, 4, 8, 16, 32)
laws = st.builds(
    usl.Usl,
    lambda_per_s=st.floats(0.5, 2000),
    sigma=st.floats(0, 0.6),
    kappa=st.floats(0, 0.01),
    error=st.just(0.0),
)


@given(law=laws)
def test_the_law_is_recovered_from_points_on_it(law: usl.Usl) -> None:
    found = usl.fit([(callers, law.throughput_per_s(callers)) for callers in CALLERS])
    assert found.lambda_per_s == pytest.approx(law.lambda_per_s, rel=1e-3)
    assert found.sigma == pytest.approx(law.sigma, abs=1e-3)
    assert found.kappa == pytest.approx(law.kappa, abs=1e-4)


@given(law=laws, seed=st.integers(0, 2**32))
def test_throughput_is_recovered_from_points_with_noise(law: usl.Usl, seed: int) -> None:
    rng = random.Random(seed)
    noisy = [(callers, law.throughput_per_s(callers) * rng.uniform(0.97, 1.03)) for callers in CALLERS]
    found = usl.fit(noisy)
    assert found.sigma >= 0
    assert found.kappa >= 0
    for callers in CALLERS:
        assert found.throughput_per_s(callers) == pytest.approx(law.throughput_per_s(callers), rel=0.06)


def test_servers_side_by_side_have_no_contention() -> None:
    found = usl.fit([(callers, 5.0 * callers) for callers in CALLERS])
    assert (found.sigma, found.kappa) == pytest.approx((0, 0), abs=1e-9)
    assert found.peak_callers == math.inf or found.peak_callers > 1e3


def test_gunthers_peak_is_where_throughput_is_highest() -> None:
    law = usl.Usl(100.0, 0.05, 0.002, 0.0)
    at_peak = law.throughput_per_s(law.peak_callers)
    assert at_peak == law.limit_per_s
    assert all(law.throughput_per_s(callers) <= at_peak + 1e-9 for callers in range(1, 200))
    assert law.lambda_per_s * law.knee_callers == pytest.approx(law.limit_per_s)


def test_two_numbers_of_callers_are_too_few() -> None:
    with pytest.raises(InvalidOptionError, match="three parameters"):
        usl.fit([(1, 1.0), (2, 2.0), (2, 2.1)])


def test_work_that_hinders_itself_is_done_best_by_one() -> None:
    law = usl.fit([(1, 4.5), (2, 4.3), (4, 4.2)])
    assert law.limit_per_s == pytest.approx(law.throughput_per_s(1))
    assert law.knee_callers == pytest.approx(1)
