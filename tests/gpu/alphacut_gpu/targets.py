"""What was aimed at on one GPU of the H200's class with 16 cores, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MASKS_PER_S = 1000.0
"""From file to mask at p95 under 0.1 s."""

Found = Mapping[str, Mapping[str, Any]]
"""Section to what it found."""


@dataclass(frozen=True, slots=True)
class Target:
    """One aim.

    Attributes:
        words: What it is.
        measured: The number, or None where nothing was measured on a GPU.
        unit: Of both numbers.
        bound: The aim.
        at_least: Whether more is better.
        by: Who computed.
    """

    words: str
    measured: float | None
    unit: str
    bound: float
    at_least: bool
    by: str

    @property
    def verdict(self) -> str:
        """``met``, ``missed`` or ``not run``."""
        if self.measured is None:
            return "not run"
        met = self.measured >= self.bound if self.at_least else self.measured < self.bound
        return "met" if met else "missed"


def judge(found: Found) -> list[Target]:
    """Hold what was found against the four aims."""
    alone, alone_by = _alone(found)
    serving = found.get("serving", {})
    if not serving.get("on_gpu"):
        serving = {}
    by = f"{serving['runtime']}, {serving['network']}" if serving else ""
    kept = serving["kept"].get("p95 under 0.1 s") or 0.0 if "kept" in serving else None
    p50_ms = serving.get("one_caller", {}).get("latency_ms", {}).get("p50")
    best = max((one["images_per_s"] for one in serving.get("callers", {}).values()), default=None)
    of_full = serving.get("network") == "u2net"
    share = best / alone if best and alone and of_full else None
    return [
        Target("engine alone, full U²-Net FP16, batch 32", alone, "images/s", 3000, True, alone_by),
        Target("end to end, masks at p95 under 100 ms", kept, "images/s", MASKS_PER_S, True, by),
        Target("one caller, end to end, p50", p50_ms, "ms", 15, False, by),
        Target("end to end's share of the engine alone", share, "", 0.5, True, by),
    ]


def _alone(found: Found) -> tuple[float | None, str]:
    """Return the fastest full network at batch 32 whose masks are right, and whose it is."""
    candidates: list[tuple[float, str]] = []
    for section, name in (("tensorrt_rtx", "TensorRT-RTX"), ("tensorrt", "TensorRT"), ("onnx_cuda", "ONNX Runtime")):
        for one in found.get(section, {}).get("engines", ()):
            if (one["network"], one["precision"]) == ("u2net", "fp16"):
                candidates += _at_32(one, name)
    of_torch = found.get("torch_yardstick", {}).get("networks", {}).get("u2net", {})
    candidates += _at_32(of_torch, "PyTorch") + _at_32(found.get("torch_compiled", {}), "PyTorch, compiled")
    return max(candidates, default=(None, ""), key=lambda candidate: candidate[0] or 0.0)


def _at_32(one: Mapping[str, Any], name: str) -> list[tuple[float, str]]:
    if "32" not in one.get("batches", {}) or not one.get("parity", {}).get("passed"):
        return []
    return [(one["batches"]["32"]["images_per_s"], name)]
