"""What is said of cold starts."""

from __future__ import annotations

import json
import subprocess
import time

import psutil
import pytest

from alphacut_loadtest.bench import start
from alphacut_loadtest.bench.machine import Machine
from alphacut_loadtest.bench.start import Start
from alphacut_loadtest.origin import Origin

ORIGIN = Origin("2026-11-21T04:00:00+00:00", Machine("Xeon", 2, 2**33, (), "Linux 6", 0.1), None, {}, "net in int8")


def starts(*totals_s: float) -> list[Start]:
    """Return starts of Alphacut's that took so long, and one of rembg's."""
    ours = [Start("mask-encoded", it, {"Triton: models": it / 2}, {"u2netp": it / 4}) for it in totals_s]
    return [*ours, Start("rembg-mask", 1.5, {}, {})]


@pytest.mark.parametrize(("totals_s", "met"), [((3.0, 4.0, 9.0), True), ((3.0, 4.1, 4.2), False)])
def test_the_median_of_alphacuts_starts_is_held_against_the_target(totals_s: tuple[float, ...], met: bool) -> None:
    assert start.outcome(starts(*totals_s)).met is met


def test_totals_stages_and_models_have_their_rows() -> None:
    text = start.markdown(ORIGIN, starts(2.0, 4.0, 8.0))
    assert "| mask-encoded | 4.00 (2.00 to 8.00) |" in text
    assert "| rembg-mask | 1.50 (1.50 to 1.50) |" in text
    assert "| Triton: models | 2.00 (1.00 to 4.00) |" in text
    assert "| u2netp | 1.00 (0.50 to 2.00) |" in text


def test_json_holds_every_start() -> None:
    content = json.loads(start.to_json(ORIGIN, starts(2.0, 5.0)))
    assert [one["total_s"] for one in content["starts"]] == [2.0, 5.0, 1.5]
    assert content["targets"][0]["met"] is True


def test_a_processes_start_is_known_to_hundredths_of_a_second():
    before = time.time()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        after = time.time()
        created = start._created(psutil.Process(process.pid))
    assert before - 0.02 < created < after + 0.02
