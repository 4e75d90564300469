"""A stand-in for the module that exists only inside Triton's stub; checked against the real one's names."""

from __future__ import annotations

import importlib.util
import json
import sys
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import json_format, text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from tests.unit.core.triton import Answered, Family

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = ROOT / "model_repository"
TRITONSERVER_RESPONSE_COMPLETE_FINAL = 1


class Tensor:
    def __init__(self, name: str, values: np.ndarray) -> None:
        self._name, self._values = name, values

    def name(self) -> str:
        return self._name

    def as_numpy(self) -> np.ndarray:
        return self._values


class TritonError:
    UNKNOWN, INTERNAL, NOT_FOUND, INVALID_ARG, UNAVAILABLE, UNSUPPORTED, ALREADY_EXISTS, CANCELLED = range(8)

    def __init__(self, message: str, code: int = INTERNAL) -> None:
        self._message, self._code = message, code

    def message(self) -> str:
        return self._message

    def code(self) -> int:
        return self._code


class InferenceResponse:
    def __init__(self, output_tensors: list[Tensor] | None = None, error: TritonError | None = None) -> None:
        self._tensors, self._error = output_tensors or [], error

    def output_tensors(self) -> list[Tensor]:
        return self._tensors

    def error(self) -> TritonError | None:
        return self._error


class Logger:
    lines: list[str] = []  # noqa: RUF012

    @classmethod
    def log_error(cls, line: str) -> None:
        cls.lines.append(line)


class Request(Answered):
    """One image's tensors, and what came back."""

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.tensors = tensors

    def inputs(self) -> list[Tensor]:
        return [Tensor(name, values) for name, values in self.tensors.items()]

    def parameters(self) -> str:
        return "{}"


def get_input_tensor_by_name(request: Request, name: str) -> Tensor | None:
    return Tensor(name, request.tensors[name]) if name in request.tensors else None


@pytest.fixture
def pb_utils(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType("triton_python_backend_utils")
    for item in (Tensor, TritonError, InferenceResponse, Logger, get_input_tensor_by_name):
        setattr(module, item.__name__, item)
    module.MetricFamily = type("MetricFamily", (Family,), {"page": {}, "held": weakref.WeakSet()})
    module.TRITONSERVER_RESPONSE_COMPLETE_FINAL = TRITONSERVER_RESPONSE_COMPLETE_FINAL
    Logger.lines.clear()
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


@pytest.fixture
def ask() -> Callable[..., list[InferenceResponse]]:
    """Have an adapter execute a batch of requests; return their answers in the same order."""

    def ask(adapter: Any, *batch: dict[str, np.ndarray]) -> list[InferenceResponse]:
        requests = [Request(tensors) for tensors in batch]
        assert adapter.execute(requests) is None
        return [request.wait() for request in requests]

    return ask


@pytest.fixture
def load(pb_utils: types.ModuleType) -> Callable[..., Any]:
    """Load a model.py as Triton would, with its own configuration."""

    def load(model: str, version: str = "1", config_file: str = "config.pbtxt", **parameters: str) -> Any:
        path = REPOSITORY / model / "1" / "model.py"
        spec = importlib.util.spec_from_file_location(f"adapter_{model}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        config = text_format.Parse((REPOSITORY / model / config_file).read_text(), ModelConfig())
        for name, value in parameters.items():
            config.parameters[name].string_value = value
        adapter = module.TritonPythonModel()
        as_json = json.dumps(json_format.MessageToDict(config, preserving_proto_field_name=True))
        adapter.initialize(
            {"model_config": as_json, "model_repository": str(REPOSITORY / model), "model_version": version}
        )
        return adapter

    return load
