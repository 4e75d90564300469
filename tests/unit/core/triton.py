"""Stand-ins for what Triton hands to its Python models."""

from __future__ import annotations

import json
import threading
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np

from alphacut_core.adapter import Settings

SETTINGS = Settings("preprocess", "3", "/models/preprocess/3", {})


class Metric:
    """A metric, which like Triton's brings everything down where two threads use one at once."""

    def __init__(self, family: Family, labels: dict[str, str]) -> None:
        self._family = family  # like Triton's it needs it
        self._name = family.name + json.dumps(labels)
        self._used = threading.Lock()
        family.held.add(self)

    def increment(self, value: float) -> None:
        assert self._used.acquire(blocking=False), "two threads use one metric at once"
        self._family.page[self._name] = self._family.page.get(self._name, 0.0) + value
        self._used.release()


class Family:
    """A metric family; ``held`` are those and their metrics that nobody has given back yet."""

    COUNTER = 0
    page: dict[str, float]
    held: weakref.WeakSet[Any]

    def __init__(self, name: str, description: str, kind: int) -> None:
        assert kind == self.COUNTER
        self.name = name
        self.held.add(self)

    def Metric(self, labels: dict[str, str]) -> Metric:  # noqa: N802
        return Metric(self, labels)


class Triton:
    """The part of ``triton_python_backend_utils`` that adapters use."""

    class TritonError(Exception):
        INTERNAL, INVALID_ARG, UNAVAILABLE, UNSUPPORTED = range(4)

        def __init__(self, message: str, code: int) -> None:
            super().__init__(message)
            self.code = code

    def __init__(self) -> None:
        self.log: list[str] = []
        self.Logger = SimpleNamespace(log_error=self.log.append)
        self.metrics: dict[str, float] = {}
        self.held: weakref.WeakSet[Any] = weakref.WeakSet()
        self.MetricFamily = type("MetricFamily", (Family,), {"page": self.metrics, "held": self.held})

    TRITONSERVER_RESPONSE_COMPLETE_FINAL = 1

    @staticmethod
    def Tensor(name: str, values: np.ndarray) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(name=name, values=values, as_numpy=lambda: values)

    @staticmethod
    def InferenceResponse(output_tensors: list[Any] | None = None, error: Any = None) -> SimpleNamespace:  # noqa: N802
        real = [tensor for tensor in output_tensors or [] if hasattr(tensor, "as_numpy")]  # some tests send words
        return SimpleNamespace(tensors=output_tensors, error=error, output_tensors=lambda: real)

    @staticmethod
    def get_input_tensor_by_name(request: Any, name: str) -> SimpleNamespace:
        inputs = request.content if isinstance(request, Request) else request
        return SimpleNamespace(as_numpy=lambda: inputs[name])


class Answered:
    """What all stand-ins of a request share: it is answered once, whole, and somebody waits for that."""

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.answer: Any = None

    def get_response_sender(self) -> Answered:
        return self

    def send(self, response: Any, flags: int) -> None:
        assert flags == Triton.TRITONSERVER_RESPONSE_COMPLETE_FINAL
        assert not self.answered.is_set(), "a request is answered once"
        self.answer = response
        self.answered.set()

    def wait(self) -> Any:
        assert self.answered.wait(60)
        return self.answer


class Request(Answered):
    """One request as Triton hands it over; ``answer`` is filled by whoever serves it."""

    def __init__(self, content: Any = None, **parameters: object) -> None:
        super().__init__()
        self.content = content
        self._parameters = parameters

    def parameters(self) -> str:
        return json.dumps(self._parameters)

    def inputs(self) -> list[Any]:
        held = self.content if isinstance(self.content, np.ndarray) else np.zeros(1, np.uint8)
        return [SimpleNamespace(as_numpy=lambda: held)]
