"""A smaller tier is compared with the full one's masks, and refused when it loses more than it declares."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from alphacut_core.agreement import TIER_BOUNDS
from alphacut_core.errors import EngineBuildError, EngineParityError
from alphacut_core.installed import Installed
from alphacut_engines import configs, fingerprint, pipeline, tier_loss
from alphacut_engines.order import Order
from alphacut_engines.registry import BUNDLED

FULL, LITE = 64, 32


@pytest.fixture
def order(make_order, make_network) -> Order:
    """A network of 64 pixels at its tier of 32."""
    order = make_order()
    order.source.write_bytes(make_network(size=FULL, batch=1).SerializeToString())
    return dataclasses.replace(
        order, recipe=dataclasses.replace(order.recipe, size=LITE), tier="lite", native_size=FULL
    )


class Constant:
    """An engine that sees the same everywhere."""

    def __init__(self, value: int) -> None:
        self.value = value

    def masks(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full(pictures.shape[:3], self.value, np.uint8), np.ones((len(pictures), 1), np.float32)


def test_a_tier_is_built_judged_against_the_full_one_and_says_what_it_loses(
    order: Order, make_photographs, serving: Callable[[Order], Installed]
) -> None:
    order = dataclasses.replace(order, gate=make_photographs("gate", 100))
    pipeline.build(order, lambda step: None)
    engine = serving(order)
    loss = tier_loss.read(engine.folder / "loss.json")
    assert (engine.engine, loss.size, loss.native_size, loss.agreement.pictures) == ("small_lite", LITE, FULL, 100)
    assert 0 < loss.agreement.mean_difference < TIER_BOUNDS["lite"].mean_difference
    told = configs.read(engine.config).parameters
    assert told["mean_difference"].string_value == str(loss.agreement.mean_difference)
    assert told["tier"].string_value == "lite"


def test_a_tier_that_loses_more_than_it_declares_is_refused_with_the_worst_picture(
    order: Order, make_photographs
) -> None:
    order = dataclasses.replace(order, gate=make_photographs("gate", 100))
    with pytest.raises(EngineParityError, match=r"small at 32 pixels .*lite declares 32.* worst is '\d+\.png'"):
        tier_loss.judge(order, lambda: Constant(0), "fp32", "checksum")


def test_without_photographs_nothing_shows_what_a_tier_loses(order: Order) -> None:
    with pytest.raises(EngineBuildError, match="pass --gate DIR"):
        pipeline.build(order, lambda step: None)


def test_the_bundled_networks_loss_was_measured_on_photographs_and_is_within_what_is_declared() -> None:
    sha256 = fingerprint.of_file(BUNDLED.weights) if isinstance(BUNDLED.weights, Path) else ""
    for tier in TIER_BOUNDS:
        loss = tier_loss.known(BUNDLED, tier, sha256)
        assert loss is not None, f"make {tier}'s evidence anew: build_engines/README.md"
        loss.check()
        assert loss.agreement.pictures >= 100
        assert tier_loss.known(BUNDLED, tier, "of other weights") is None
