from __future__ import annotations

import pytest

from alphacut_loadtest.capacity import fleet


def test_machines_carry_the_target_with_headroom() -> None:
    planned = fleet.plan(100.0, target_per_s=500.0, headroom=0.3)
    assert planned.machines == 8  # 70 a second each
    assert fleet.plan(100.0, target_per_s=490.0, headroom=0.3).machines == 7


def test_a_million_images_cost_what_the_machines_cost_while_they_are_served() -> None:
    planned = fleet.plan(100.0, target_per_s=500.0, price_per_hour=1.8, headroom=0.3)
    hours = 1e6 / 500 / 3600
    assert planned.cost_per_million == pytest.approx(hours * 8 * 1.8)
    alone = fleet.plan(100.0, price_per_hour=1.8, headroom=0.5)
    assert alone.machines is None
    assert alone.cost_per_million == pytest.approx(1e6 / 50 / 3600 * 1.8)


def test_without_a_price_nothing_is_said_of_cost() -> None:
    assert fleet.plan(100.0, target_per_s=10.0).cost_per_million is None
