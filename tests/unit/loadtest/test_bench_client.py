"""What ``alphacut bench-client`` makes of its measurements."""

from __future__ import annotations

import json

import pytest

from alphacut_loadtest.bench.machine import Machine
from alphacut_loadtest.bench_client import report
from alphacut_loadtest.bench_client.measure import Turn

MACHINE = Machine("Processor", 2, 2**33, (), "Linux 6", 0.0)
WALL_S = {
    "loop of predict": 4.0,
    "loop of mask": 4.0,
    "mask_batch": 2.0,
    "mask_batch, pixels": 2.5,
    "mask_batch, auto": 2.0,
    "mask_batch, asynchronous": 2.0,
    "loop of remove": 8.0,
    "remove_batch": 4.0,
    "server saturated, files": 2.0,
    "server saturated, pixels": 1.0,
    "server saturated, shared memory": 1.0,
}


def turns() -> list[Turn]:
    """Three rounds; the machine is half as fast in the second, for everybody."""
    return [
        Turn(way, number, images=64, wall_s=wall_s * slower, client_cpu_s=0.2 * slower, server_s=4.0 * slower)
        for number, slower in enumerate((1.0, 2.0, 1.0))
        for way, wall_s in WALL_S.items()
    ]


def test_ratios_are_taken_within_each_round_so_that_a_slow_round_changes_nothing() -> None:
    found = {ratio.name: ratio for ratio in report.ratios(turns())}
    twice = found["remove_batch to a loop of remove"]
    assert (twice.median, twice.lowest, twice.highest) == (2.0, 2.0, 2.0)
    assert twice.target == "at least 1.8"
    assert found["mask_batch to the saturated server"].median == 1.0
    assert found["pixels to files, mask_batch"].median == pytest.approx(0.8)
    assert found["client's processor time to server's time, predict"].median == pytest.approx(0.05)


def test_json_holds_every_turn_and_markdown_every_way() -> None:
    written = json.loads(report.to_json(turns(), MACHINE, None))
    assert len(written["turns"]) == 3 * len(WALL_S)
    assert written["machine"]["processor"] == "Processor"
    page = report.markdown(turns(), MACHINE, None)
    assert all(f"| {way} |" in page for way in WALL_S)
    assert "median of 3 rounds of 64 images" in page
