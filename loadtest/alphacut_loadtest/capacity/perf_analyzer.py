"""A second opinion: Triton's own load generator, where it is installed."""

from __future__ import annotations

import base64
import csv
import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alphacut_core.contract import DEFAULT_PIPELINE, ENCODED, OPTIONS
from alphacut_core.options import Options
from alphacut_loadtest.traffic.corpus import File

PROGRAM = "perf_analyzer"
_TIMEOUT_S = 300.0
_US = 1e-6
_AGREES = 0.10


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """What perf_analyzer says about one rate.

    Attributes:
        status: ``run``, or why it was not.
        rate_per_s: What it was told to send; 0 if it was not run.
        achieved_per_s: What was answered.
        p95_s: 95th percentile of the latency.
    """

    status: str
    rate_per_s: float = 0.0
    achieved_per_s: float = 0.0
    p95_s: float = 0.0

    @property
    def agrees(self) -> bool | None:
        """Whether it got the rate through to within a tenth; None if it was not run."""
        return None if not self.rate_per_s else self.achieved_per_s >= (1 - _AGREES) * self.rate_per_s


def ask(url: str, files: Sequence[File], rate_per_s: float, trial_s: float) -> SecondOpinion:
    """Let it send the same files at the same rate, with Poisson arrivals.

    Args:
        url: Host and port of Triton's gRPC.
        files: What to send, in turns.
        rate_per_s: How many a second.
        trial_s: For how long.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        return SecondOpinion(f"not run: {PROGRAM} is not on PATH; it comes with Triton's image for clients")
    if "://" in url and not url.startswith("grpc://"):
        return SecondOpinion(f"not run: {PROGRAM} speaks to Triton, not to the gateway")
    with tempfile.TemporaryDirectory(prefix="alphacut-perf-") as scratch:
        folder = Path(scratch)
        (folder / "input.json").write_text(json.dumps({"data": [_row(file) for file in files]}))
        command = [
            *(program, "-m", DEFAULT_PIPELINE.ensemble, "-i", "grpc", "-u", url.removeprefix("grpc://")),
            *("--input-data", str(folder / "input.json"), "--request-rate-range", f"{rate_per_s:.3f}"),
            *("--request-distribution", "poisson", "--percentile=95", "-f", str(folder / "out.csv")),
            *("--measurement-mode", "time_windows", "--measurement-interval", str(int(1000 * trial_s))),
            # Three intervals whatever they are like: random arrivals never look stable to it, and it would fail.
            *("--stability-percentage", "999", "--max-trials", "4", "--max-threads", "64"),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return SecondOpinion(f"not finished: {PROGRAM} took longer than {_TIMEOUT_S:.0f} s")
        if done.returncode or not (folder / "out.csv").is_file():
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["without a word"]
            return SecondOpinion(f"failed: {PROGRAM} ended with status {done.returncode}, {last[0][:200]}")
        return _read(folder / "out.csv", rate_per_s)


def _row(file: File) -> dict[str, object]:
    wishes = Options().to_wire()
    return {
        ENCODED.name: {"content": {"b64": base64.b64encode(file.data).decode()}, "shape": [len(file.data)]},
        OPTIONS.name: {"content": {"b64": base64.b64encode(wishes).decode()}, "shape": [len(wishes)]},
    }


def _read(path: Path, rate_per_s: float) -> SecondOpinion:
    with path.open(newline="") as file:
        row = next(csv.DictReader(file))
    return SecondOpinion("run", rate_per_s, float(row["Inferences/Second"]), float(row["p95 latency"]) * _US)
