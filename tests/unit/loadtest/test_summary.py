"""Percentiles, spreads and ratios."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alphacut_loadtest.bench import summary
from alphacut_loadtest.bench.contenders import CONTENDERS
from alphacut_loadtest.bench.summary import Spread


def test_percentiles_are_interpolated_between_neighbours(measure: Any) -> None:
    one = replace(measure("engine"), latencies_s=tuple((0, seconds) for seconds in (0.4, 0.1, 0.3, 0.2, 0.5)))
    assert one.latency_s(50) == pytest.approx(0.3)
    assert one.latency_s(95) == pytest.approx(0.48)
    assert one.latency_s(99) == pytest.approx(0.496)


def test_a_spread_is_the_median_and_the_extremes() -> None:
    assert Spread.of([3.0, 1.0, 10.0]) == Spread(3.0, 1.0, 10.0)
    assert Spread.of(value for value in (1.0, 2.0)) == Spread(1.5, 1.0, 2.0)


def test_figures_are_those_of_an_image(measure: Any) -> None:
    (row,) = summary.figures([measure("mask-encoded", number, 1, latency_s=0.5 + number) for number in (0, 1)])
    assert row.images == 4
    assert row.images_per_s == Spread(pytest.approx((2 + 1 / 1.5) / 2), pytest.approx(1 / 1.5), 2.0)
    assert row.p50_s == Spread(1.0, 0.5, 1.5)
    assert row.cpu_s_per_image.median == 0.5
    assert row.peak_rss_bytes.median == 300 * 2**20
    assert row.stages_s_per_image == pytest.approx({"client: wait": 0.1, "u2netp: queue": 0.05})
    assert row.cpu_s_per_image_by_process == pytest.approx({"client": 0.1, "stub of u2netp": 0.4})


def test_ratios_are_taken_within_rounds_and_above_1_is_better(measure: Any) -> None:
    measurements = [
        *(measure("rembg-mask", number, latency_s=latency_s) for number, latency_s in enumerate((1.0, 10.0))),
        *(measure("mask-encoded", number, latency_s=latency_s) for number, latency_s in enumerate((0.5, 1.0))),
    ]
    (ratio,) = summary.ratios(measurements)
    assert (ratio.contender, ratio.baseline, ratio.concurrency) == ("mask-encoded", "rembg-mask", 1)
    assert ratio.throughput == ratio.p50 == ratio.p99 == Spread(6.0, 2.0, 10.0)


def test_the_99th_percentile_is_rated_on_its_own(measure: Any) -> None:
    theirs = replace(measure("rembg-mask"), latencies_s=((0, 1.0),) * 98 + ((0, 8.0),) * 2)
    (ratio,) = summary.ratios([theirs, replace(measure("mask-encoded"), latencies_s=((0, 0.5),) * 100)])
    assert (ratio.p50.median, ratio.p99.median) == (2.0, 16.0)


def test_processor_time_is_rated_by_the_image(measure: Any) -> None:
    thrifty = replace(measure("mask-encoded"), cpu_s=1.0, latencies_s=((0, 1.0),) * 8)
    (ratio,) = summary.ratios([measure("rembg-mask"), thrifty])
    assert ratio.cpu.median == 4.0


def test_only_the_same_task_at_the_same_concurrency_is_compared(measure: Any) -> None:
    measurements = [measure("rembg-mask"), measure("cutout-client"), measure("mask-encoded", concurrency=4)]
    assert summary.ratios(measurements) == []


def test_rivals_are_not_rated_and_the_limit_not_against_itself() -> None:
    named = {contender.name: contender for contender in CONTENDERS}
    assert summary.baselines(named["rembg-cutout"]) == []
    assert summary.baselines(named["cutout-client"]) == ["rembg-cutout", "rembg-http-cutout", "engine-decode"]
    assert summary.baselines(named["engine-decode"]) == ["rembg-mask", "rembg-http-mask"]


def test_latency_by_picture_is_the_median_over_all_rounds(measure: Any) -> None:
    slow = replace(measure("engine", 1), latencies_s=((0, 3.0), (1, 5.0)))
    assert summary.latency_by_picture_s([measure("engine"), slow], "engine", 1) == {0: 1.0, 1: 1.0}
    assert summary.latency_by_picture_s([slow], "engine", 1) == {0: 3.0, 1: 5.0}
    assert summary.latency_by_picture_s([slow], "engine", 16) == {}
