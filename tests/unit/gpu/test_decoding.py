"""Ways to decode are timed one by one, and none stops another."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from alphacut_core.errors import EngineError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    from alphacut_gpu import accelerator
    from alphacut_gpu.place import Place

    monkeypatch.setattr(accelerator, "needed", lambda: None)
    return Place(tmp_path, None, quick=True)


def test_one_library_that_fails_does_not_keep_another_from_being_timed(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alphacut_gpu import decoding

    def failing(files: Any) -> Any:
        raise RuntimeError("CUDA Runtime failure: '#35'")

    monkeypatch.setattr(decoding, "_nvimagecodec", failing)
    monkeypatch.setattr(decoding, "_dali", lambda files: lambda: len(files))
    with pytest.raises(RuntimeError, match="nvImageCodec: RuntimeError: CUDA Runtime failure"):
        decoding.measure(place)
    ways = place.found("decoding")["ways"]
    assert ways["nvImageCodec"] == {"not_run": "RuntimeError: CUDA Runtime failure: '#35'"}
    assert ways["DALI"]["images_per_s"] > 0
    assert ways["Pillow, exact, 1 threads"]["images_per_s"] > 0


def test_the_processor_does_not_pass_for_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import accelerator, decoding

    kinds = types.SimpleNamespace(CPU_ONLY=1, GPU_ONLY=2, HYBRID_CPU_GPU=3, HW_GPU_ONLY=4)
    asked: list[int] = []

    def decoder(backends: list[int]) -> Any:
        asked.extend(backends)
        return types.SimpleNamespace(decode=lambda files: [None for _ in files])

    codec = types.SimpleNamespace(BackendKind=kinds, Backend=lambda kind: kind, Decoder=decoder)
    monkeypatch.setitem(sys.modules, "nvidia", types.SimpleNamespace(nvimgcodec=codec))
    monkeypatch.setattr(accelerator, "torch", lambda: None)
    work = decoding._nvimagecodec([b"a file"])
    assert sorted(asked) == [2, 3, 4]
    with pytest.raises(EngineError, match="nvidia-nvjpeg"):
        work()
