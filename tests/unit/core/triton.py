"""Stand-ins for what Triton hands to its Python models."""

from __future__ import annotations

import json
import threading
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np


class Family:
    """A metric family, which like Triton's brings everything down where two threads use one metric at once."""

    COUNTER, GAUGE = range(2)
    page: dict[str, float]
    held: weakref.WeakSet[Family]

    def __init__(self, name: str, description: str, kind: int) -> None:
        self._name = name
        self._kind = kind
        self._used = threading.Lock()
        self.held.add(self)

    def Metric(self, labels: dict[str, str]) -> Family:  # noqa: N802
        self._name += json.dumps(labels)
        return self

    def set(self, value: float) -> None:
        assert self._kind == self.GAUGE
        self.page[self._name] = value

    def increment(self, value: float) -> None:
        assert self._kind == self.COUNTER
        assert self._used.acquire(blocking=False), "two threads use one metric at once"
        self.page[self._name] = self.page.get(self._name, 0.0) + value
        self._used.release()


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
        self.families: weakref.WeakSet[Family] = weakref.WeakSet()
        self.MetricFamily = type("MetricFamily", (Family,), {"page": self.metrics, "held": self.families})

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
