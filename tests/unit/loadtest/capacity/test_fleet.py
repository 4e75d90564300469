from __future__ import annotations

import pytest

from alphacut_loadtest.capacity import fleet


def test_machines_carry_the_target_with_headroom() -> None:
    planned = fleet.plan(100.0, target_per_s=500.0, headroom=0.3, spare=0)
    assert planned.machines == 8  # 70 a second each
    assert fleet.plan(100.0, target_per_s=490.0, headroom=0.3, spare=0).machines == 7


@pytest.mark.parametrize("target_per_s", [1.0, 65.0, 130.0, 200.0, 500.0, 10_000.0])
@pytest.mark.parametrize("lost", [1, 2])
def test_what_is_left_when_spare_machines_fail_carries_the_target_with_headroom(target_per_s: float, lost: int) -> None:
    planned = fleet.plan(100.0, target_per_s, spare=lost)
    assert planned.machines is not None
    assert target_per_s / (planned.machines - lost) <= 100.0 * (1 - planned.headroom)
    assert fleet.plan(100.0, target_per_s) == fleet.plan(100.0, target_per_s, spare=1), "one, unless told otherwise"


def test_a_million_images_cost_what_the_machines_cost_while_they_are_served() -> None:
    planned = fleet.plan(100.0, target_per_s=500.0, price_per_hour=1.8, headroom=0.3)
    hours = 1e6 / 500 / 3600
    assert planned.cost_per_million == pytest.approx(hours * 9 * 1.8), "eight, and one to spare"
    alone = fleet.plan(100.0, price_per_hour=1.8, headroom=0.5)
    assert alone.machines is None
    assert alone.cost_per_million == pytest.approx(1e6 / 50 / 3600 * 1.8)


def test_without_a_price_nothing_is_said_of_cost() -> None:
    assert fleet.plan(100.0, target_per_s=10.0).cost_per_million is None
