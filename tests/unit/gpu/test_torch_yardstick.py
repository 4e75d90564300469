"""PyTorch is asked for the full network first, and for the other one whatever becomes of it."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest


def test_what_was_timed_is_kept_where_a_batch_fails_and_the_other_network_is_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alphacut_gpu import accelerator, networks, torch_yardstick
    from alphacut_gpu.place import Place

    asked: list[str] = []

    def batch(torch: Any, network: str, rows: int) -> dict[str, float]:
        if (network, rows) == ("u2net", 64):
            raise MemoryError("CUDA out of memory")
        return {"images_per_s": 100.0}

    def fused(name: str, dtype: str) -> Any:
        asked.append(name)
        return types.SimpleNamespace(cuda=lambda: name)

    torch = types.SimpleNamespace(
        __version__="2", float16="fp16", backends=types.SimpleNamespace(cudnn=types.SimpleNamespace())
    )
    monkeypatch.setitem(sys.modules, "alphacut_gpu.pytorch_network", types.SimpleNamespace(Fused=fused))
    monkeypatch.setattr(accelerator, "torch", lambda: torch)
    monkeypatch.setattr(networks, "judge", lambda engine, precision: {"passed": True})
    monkeypatch.setattr(torch_yardstick, "_ceiling", lambda torch: 1e12)
    monkeypatch.setattr(torch_yardstick, "_batch", batch)
    place = Place(tmp_path, None, quick=True)
    with pytest.raises(RuntimeError, match="u2net: MemoryError: CUDA out of memory"):
        torch_yardstick.measure(place)
    assert asked == ["u2net", "u2netp"]
    found = place.found("torch_yardstick")["networks"]
    assert list(found["u2net"]["batches"]) == ["1", "2", "4", "8", "16", "32"]
    assert found["u2net"]["refused"] == "MemoryError: CUDA out of memory"
    assert list(found["u2netp"]["batches"]) == ["1", "2", "4", "8", "16", "32", "64"]
