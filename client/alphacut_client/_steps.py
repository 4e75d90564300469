"""What an image's way is made of, so that clients with and without an event loop walk the same one."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, TypeAlias

from tritonclient.grpc import service_pb2

from alphacut_client._connection import Calls
from alphacut_client.timings import Observer, Stage, timed


@dataclass(frozen=True, slots=True)
class Compute:
    """Run something that keeps a processor busy; its result is sent back into the generator."""

    stage: Stage
    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Send:
    """Start an inference; a ticket for its answer is sent back."""

    request: service_pb2.ModelInferRequest


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for the answer of a ticket; the response is sent back."""

    ticket: Any


Steps: TypeAlias = Generator[Compute | Send | Receive, Any, Any]
"""Yields what to do, is sent what came of it, returns the result."""


def walk(steps: Steps, calls: Calls, observer: Observer | None) -> Any:
    """Do the steps in this thread; calls that nobody waits for any more are cancelled."""
    with closing(steps), ExitStack() as sent:
        result: Any = None
        while True:
            try:
                step = steps.send(result)
            except StopIteration as end:
                return end.value
            if isinstance(step, Compute):
                with timed(observer, step.stage):
                    result = step.function()
            elif isinstance(step, Send):
                with timed(observer, "send"):
                    result = sent.enter_context(calls.infer(step.request))
            else:
                with timed(observer, "wait"):
                    result = step.ticket.response()
