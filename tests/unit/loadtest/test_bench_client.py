"""What ``alphacut bench-client`` makes of its measurements."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from alphacut_loadtest.bench.machine import Machine
from alphacut_loadtest.bench_client import report
from alphacut_loadtest.bench_client.measure import Clocks, Turn, run
from alphacut_loadtest.bench_client.ratios import Ratio, ratios
from alphacut_loadtest.bench_client.ways import Way

MACHINE = Machine("Processor", 2, 2**33, (), "Linux 6", 0.0)
IMAGES_PER_S = {
    "loop of predict": 16.0,
    "loop of mask": 16.0,
    "mask_batch": 32.0,
    "mask_batch, pixels": 25.6,
    "mask_batch, auto": 32.0,
    "mask_batch, asynchronous": 32.0,
    "loop of remove": 8.0,
    "remove_batch": 16.0,
    "loop of remove, rendered there": 8.0,
    "remove_batch, rendered there": 12.0,
    "server saturated, pixels": 64.0,
    "server saturated, shared memory": 64.0,
    "server saturated, masks, 2 callers": 24.0,
    "server saturated, masks, 4 callers": 40.0,
    "server saturated, masks, 8 callers": 32.0,
    "server saturated, masks, 16 callers": 16.0,
    "server saturated, cut-outs, 2 callers": 20.0,
    "server saturated, cut-outs, 4 callers": 16.0,
    "server saturated, cut-outs, 8 callers": 8.0,
}


def turns() -> list[Turn]:
    """Three rounds; the machine is half as fast in the second, for everybody."""
    return [
        Turn(
            way,
            number,
            images=64,
            wall_s=64 / images_per_s * slower,
            client_cpu_s=0.2 * slower,
            server_cpu_s=6.2 * slower,
            server_s=4.0 * slower,
        )
        for number, slower in enumerate((1.0, 2.0, 1.0))
        for way, images_per_s in IMAGES_PER_S.items()
    ]


def found(name: str) -> Ratio:
    (ratio,) = (ratio for ratio in ratios(turns(), cores=2) if ratio.name.startswith(name))
    return ratio


def test_ratios_are_taken_within_each_round_so_that_a_slow_round_changes_nothing() -> None:
    twice = found("remove_batch to a loop of remove")
    assert (twice.median, twice.lowest, twice.highest) == (2.0, 2.0, 2.0)
    assert twice.target == "at least 1.8"
    assert found("pixels to files, mask_batch").median == pytest.approx(0.8)
    assert found("client's processor time to server's time, predict").median == pytest.approx(0.05)


def test_the_saturated_server_is_the_fastest_of_several_numbers_of_callers_and_is_named() -> None:
    assert found("mask_batch to: server saturated, masks, 4 callers").median == pytest.approx(32 / 40)
    assert found("remove_batch to: server saturated, cut-outs, 2 callers").median == pytest.approx(16 / 20)
    assert found("remove_batch to: server saturated, masks, 4 callers").median == pytest.approx(16 / 40)


def test_the_most_that_scheduling_could_bring_is_all_cores_busy_with_what_an_image_takes() -> None:
    bounds = [ratio for ratio in ratios(turns(), cores=2) if "any scheduling" in ratio.name]
    # 0.1 s of processors an image on two cores are 20 images/s; the loops made 8 and 16.
    assert [ratio.median for ratio in bounds] == pytest.approx([20 / 8, 20 / 16])


def test_json_holds_every_turn_and_markdown_every_way() -> None:
    written = json.loads(report.to_json(turns(), MACHINE, None))
    assert len(written["turns"]) == 3 * len(IMAGES_PER_S)
    assert written["machine"]["processor"] == "Processor"
    page = report.markdown(turns(), MACHINE, None)
    assert all(f"| {way} |" in page for way in IMAGES_PER_S)
    assert "median of 3 rounds of 64 images" in page
    assert "| mask_batch | 32.0 | 3.1 | 96.9 | 3.2 |" in page


def test_every_way_goes_once_a_round_another_one_first_and_loops_get_fewer_images() -> None:
    class Still(Clocks):
        def __init__(self) -> None:
            """Ask nobody."""

        def turn(self, name: str, number: int, way: Way, images: Sequence[bytes]) -> Turn:
            return Turn(name, number, len(images), 1.0, 0.0, 0.0, 0.0)

    ways = {name: Way(lambda files: None, alone=name == "loop") for name in ("loop", "batch", "server")}
    made = run(ways, [b""] * 64, 3, Still(), lambda line: None)
    assert [turn.way for turn in made] == [
        *("loop", "batch", "server"), *("batch", "server", "loop"), *("server", "loop", "batch")
    ]  # fmt: skip
    assert {(turn.way, turn.images) for turn in made} == {("loop", 24), ("batch", 64), ("server", 64)}
