"""Triton's own load generator, where it is installed."""

from __future__ import annotations

import base64
import csv
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alphacut_core.errors import AlphacutError
from alphacut_loadtest.digits import three

PROGRAM = "perf_analyzer"
NOT_FOUND = f"not run: {PROGRAM} is not on PATH; make perf-analyzer installs it, and Triton's image for clients has it"
_GRACE_S = 60.0
_PARTS_OF_LATENCY = (
    *("Client Send", "Network+Server Send/Recv", "Server Queue", "Server Compute Input"),
    *("Server Compute Infer", "Server Compute Output", "Client Recv"),
)
_US = 1e-6


class PerfAnalyzerError(AlphacutError):
    """It did not measure."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a generator saw of a server.

    Attributes:
        achieved_per_s: Good ends a second.
        mean_latency_s: Mean of their latency.
        p95_s: 95th percentile of it.
    """

    achieved_per_s: float
    mean_latency_s: float
    p95_s: float

    def __str__(self) -> str:
        return (
            f"{three(self.achieved_per_s)} a second in {1000 * self.mean_latency_s:.0f} ms in the mean "
            f"(p95 {1000 * self.p95_s:.0f} ms)"
        )


def find() -> str | None:
    """Return where the program is, beside this Python or on PATH; None if nowhere."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(PROGRAM, path=beside) or shutil.which(PROGRAM)


def run(
    url: str, model: str, inputs: Sequence[Mapping[str, bytes]], *, callers: int, requests: int, timeout_s: float
) -> Seen:
    """Send inputs in turns, in a closed loop; it asks for every output.

    Args:
        url: Host and port of Triton's gRPC, with or without ``grpc://``.
        model: Which model or ensemble.
        inputs: Tensors of bytes by name, each of one dimension.
        callers: How many wait for their answers at once.
        requests: How many in all.
        timeout_s: How long that may take, the program's own start not counted.

    Raises:
        PerfAnalyzerError: It is not there, failed, or took too long.
    """
    program = find()
    if program is None:
        raise PerfAnalyzerError(NOT_FOUND)
    with tempfile.TemporaryDirectory(prefix="alphacut-perf-") as scratch:
        given, told = Path(scratch, "input.json"), Path(scratch, "out.csv")
        given.write_text(json.dumps({"data": [_row(one) for one in inputs]}))
        command = [
            *(program, "-m", model, "-i", "grpc", "-u", url.removeprefix("grpc://"), "--input-data", str(given)),
            # So many, and not until latencies look stable to it: of pictures of all sizes they never do.
            *("--concurrency-range", str(callers), "--request-count", str(requests)),
            *("--percentile=95", "-f", str(told)),
        ]
        longest_s = _GRACE_S + timeout_s
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=longest_s, check=False)
        except subprocess.TimeoutExpired as error:
            raise PerfAnalyzerError(f"not finished: {PROGRAM} took longer than {longest_s:.0f} s") from error
        except OSError as error:
            raise PerfAnalyzerError(f"not run: {program} cannot be started ({error.strerror})") from error
        if done.returncode or not told.is_file():
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["without a word"]
            raise PerfAnalyzerError(f"failed: {PROGRAM} ended with status {done.returncode}, {last[0][:200]}")
        return _read(told)


def _row(tensors: Mapping[str, bytes]) -> dict[str, object]:
    return {
        name: {"content": {"b64": base64.b64encode(data).decode()}, "shape": [len(data)]}
        for name, data in tensors.items()
    }


def _read(path: Path) -> Seen:
    with path.open(newline="") as file:
        row = next(csv.DictReader(file), {})
    try:
        latency_us = sum(
            float(row[part]) for part in _PARTS_OF_LATENCY
        )  # their means; it tells people only the whole's
        return Seen(float(row["Inferences/Second"]), latency_us * _US, float(row["p95 latency"]) * _US)
    except (KeyError, TypeError, ValueError) as error:  # no such column, none in this row, or no number in it
        raise PerfAnalyzerError(
            f"failed: {PROGRAM} wrote a table that cannot be read, in which {error} is amiss"
        ) from error
