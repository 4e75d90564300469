"""What a soak says of its samples."""

from __future__ import annotations

import json

import pytest

from alphacut_loadtest.bench import soak
from alphacut_loadtest.bench.machine import Machine
from alphacut_loadtest.bench.soak import Sample
from alphacut_loadtest.bench.usage import Memory
from alphacut_loadtest.origin import Origin

ORIGIN = Origin("2026-11-21T04:00:00+00:00", Machine("Xeon", 2, 2**33, (), "Linux 6", 0.1), None, {}, "net in int8")


def samples(leak_bytes_per_image: int) -> list[Sample]:
    return [
        Sample(
            images,
            {
                "client": Memory(50_000_000, 60_000_000, 40_000_000 + 90 * images),
                "stub of u2netp": Memory(220_000_000, 250_000_000, 200_000_000 + leak_bytes_per_image * images),
            },
        )
        for images in range(0, 1001, 100)
    ]


@pytest.mark.parametrize(("leak", "met", "measured"), [(0, True, "+0.00"), (2000, False, "+2.00")])
def test_growth_of_the_server_is_the_targets_not_the_clients(leak: int, met: bool, measured: str) -> None:
    found = soak.outcome(samples(leak))
    assert found.met is met
    assert found.measured == f"{measured} ± 0.00 MB in 1,000"


def test_every_process_has_its_row() -> None:
    text = soak.markdown(ORIGIN, samples(0))
    assert "| client | 40.0 | 40.1 | 50.0 | 60.0 | +0.09 ± 0.00 MB |" in text
    assert "| server, stubs and client | 240.0 | 240.1 | 270.0 | 310.0 |" in text
    assert "unknown commit" in text


def test_json_holds_every_sample() -> None:
    content = json.loads(soak.to_json(ORIGIN, samples(0)))
    assert len(content["samples"]) == 11
    assert content["samples"][0]["processes"]["client"] == {
        "pss_bytes": 50_000_000,
        "rss_bytes": 60_000_000,
        "own_bytes": 40_000_000,
    }
    assert content["targets"][0]["met"] is True
