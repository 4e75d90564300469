"""A made-up result, with figures that can be checked by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from alphacut_loadtest.bench import pictures
from alphacut_loadtest.bench.contenders import CONTENDERS
from alphacut_loadtest.bench.machine import Commit, Machine
from alphacut_loadtest.bench.memory import summarise
from alphacut_loadtest.bench.parity import Parity
from alphacut_loadtest.bench.result import Engine, Result
from alphacut_loadtest.bench.summary import Measurement
from alphacut_loadtest.bench.usage import Memory

Measure = Callable[..., Measurement]


@pytest.fixture
def measure() -> Measure:
    """Make the measurement of a turn in which each of four images took ``latency_s``, one after the other."""

    def make(contender: str, number: int = 0, concurrency: int = 1, latency_s: float = 1.0) -> Measurement:
        return Measurement(
            round=number,
            contender=contender,
            concurrency=concurrency,
            wall_s=4 * latency_s / concurrency,
            latencies_s=tuple((picture % 2, latency_s) for picture in range(4)),
            cpu_s=2.0,
            cpu_by_process_s={"client": 0.4, "stub of u2netp": 1.6}
            if contender.startswith("mask")
            else {"client": 2.0},
            peak_rss_bytes={"client": 100 * 2**20, "tritonserver": 200 * 2**20},
            stages_s={"client: wait": 0.4, "u2netp: queue": 0.2} if contender.startswith("mask") else {},
        )

    return make


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder with a small PNG and a larger JPEG."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    Image.new("RGB", (80, 60), (200, 100, 50)).save(folder / "large.jpg")
    Image.new("RGB", (40, 30), (200, 100, 50)).save(folder / "small.png")
    return folder


@pytest.fixture
def result(measure: Measure, photographs: Path) -> Result:
    """Two rounds in which Alphacut needs a quarter of rembg's time, then an eighth."""
    speeds = {"rembg-mask": (1.0, 1.0), "rembg-http-mask": (2.0, 2.0), "mask-encoded": (0.25, 0.125)}
    return Result(
        created="2026-11-21T04:00:00+00:00",
        commit=Commit("0123456789abcdef", changed=True),
        machine=Machine("Xeon", 2, 8 * 2**30, ("amx_bf16",), "Linux 6", 0.1),
        engine=Engine("alphacut-u2netp", "u2netp", "bf16", "ff" * 32),
        versions={"rembg": {"rembg": "2.0.86"}, "alphacut": {"server": "triton 2.51.0"}},
        start_s={"alphacut": 2.5},
        pictures=pictures.load(photographs),
        contenders=[contender for contender in CONTENDERS if contender.name in speeds],
        left_out={"engine": "openvino is missing"},
        measurements=[
            measure(name, number, concurrency, latency_s)
            for name, latencies_s in speeds.items()
            for number, latency_s in enumerate(latencies_s)
            for concurrency in (1, 4)
        ],
        footprints=[
            summarise(
                "mask-encoded",
                4,
                [
                    {
                        "client": Memory(50_000_000, 60_000_000, 40_000_000),
                        "tritonserver": Memory(9_000_000, 20_000_000, 5_000_000),
                    }
                ],
            )
        ],
        parity=[Parity("mask-encoded", 0.25, 0.999, "large.jpg", 0.998, within=False)],
    )
