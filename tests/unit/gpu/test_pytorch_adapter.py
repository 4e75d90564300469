"""The adapter of PyTorch without a GPU: a lane is served by the thread that prepared it."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SIZE = 4
ADAPTER = Path(__file__).resolve().parents[2] / "gpu" / "alphacut_gpu" / "pytorch_adapter.py"


class Tensor:
    """The few of PyTorch's methods that the adapter calls, on NumPy's array."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __getitem__(self, part: slice) -> Tensor:
        return Tensor(self.values[part])

    def copy_(self, other: Tensor) -> None:
        self.values[...] = other.values

    def cpu(self) -> Tensor:
        return Tensor(self.values.copy())

    def numpy(self) -> np.ndarray:
        return self.values


class Network:
    """Masks are the red channel; like cuDNN, it remembers what was tried for each thread, and counts what was not."""

    def __init__(self) -> None:
        self.tried: set[tuple[int, int]] = set()
        self.prepared = False
        self.missed: list[int] = []

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        key = threading.get_ident(), len(images.values)
        if self.prepared and key not in self.tried:
            self.missed.append(key[1])
        self.tried.add(key)
        return Tensor(images.values[..., 0]), Tensor(images.values[:, 0, 0, :1] / np.float32(255))


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> list[Network]:
    """Those that were loaded, with PyTorch and Triton stood in for."""
    loaded: list[Network] = []

    def load(path: str) -> Network:
        loaded.append(Network())
        return loaded[-1]

    nothing = types.SimpleNamespace(
        set_device=lambda device: None, Stream=object, stream=contextlib.nullcontext, synchronize=lambda: None
    )
    torch = types.SimpleNamespace(
        cuda=nothing,
        uint8=np.uint8,
        backends=types.SimpleNamespace(cudnn=types.SimpleNamespace()),
        inference_mode=contextlib.nullcontext,
        zeros=lambda shape, dtype, device: Tensor(np.zeros(shape, dtype)),
        from_numpy=Tensor,
        _inductor=types.SimpleNamespace(aoti_load_package=load),
        _C=types.SimpleNamespace(_jit_set_texpr_fuser_enabled=lambda on: None),
    )
    triton = types.SimpleNamespace(get_input_tensor_by_name=lambda request, name: request.tensor)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", triton)
    return loaded


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    (tmp_path / "network.pt2").touch()

    def load() -> Any:
        spec = importlib.util.spec_from_file_location("pytorch_adapter", ADAPTER)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        parameters = {"packages": str(tmp_path), "size": str(SIZE)}
        settings = types.SimpleNamespace(folder=str(tmp_path), parameters=parameters)
        monkeypatch.setattr(module.adapter, "start", lambda arguments: settings)
        monkeypatch.setattr(module, "Replies", Replies)
        made = module.TritonPythonModel()
        made.initialize({"model_instance_device_id": "0"})
        return made

    return load


class Replies:
    def __init__(self, triton: Any, settings: Any) -> None:
        pass

    def answer(self, request: Request, tensors: Any) -> None:
        request.take(tensors)

    def refuse(self, request: Request, error: Exception) -> None:
        request.take(error)

    def close(self) -> None:
        pass


class Request:
    def __init__(self, rows: int) -> None:
        self.images = np.random.default_rng(rows).integers(0, 256, (rows, SIZE, SIZE, 3), dtype=np.uint8)
        self.tensor = types.SimpleNamespace(as_numpy=lambda: self.images)
        self.answered = threading.Event()

    def take(self, answer: Any) -> None:
        self.answer = answer
        self.answered.set()


def test_what_cudnn_tried_for_a_lane_is_known_where_the_lane_is_served(load: Any, networks: list[Network]) -> None:
    adapter = load()
    for network in networks:
        network.prepared = True
    requests = [Request(1 + i % 16) for i in range(40)]
    for request in requests:
        adapter.execute([request])
    for request in requests:
        assert request.answered.wait(60)
        assert np.array_equal(request.answer["MASK"], request.images[..., 0])
    adapter.finalize()
    assert len(networks) == 2
    assert [network.missed for network in networks] == [[], []]
