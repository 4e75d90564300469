"""What an image's way is made of, so that clients with and without an event loop walk the same one."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from alphacut_client.timings import Observer, Stage, timed
from alphacut_core.errors import AlphacutError

if TYPE_CHECKING:
    from alphacut_client._calls import Calls


@dataclass(frozen=True, slots=True)
class Compute:
    """Run something that keeps a processor busy; its result is sent back into the generator."""

    stage: Stage
    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Send:
    """Start a call of the inference service; a ticket for its answer is sent back.

    Attributes:
        request: The method's protobuf message.
        timeout_s: Deadline of one attempt.
        method: The method's name.
        once: Fail where others are repeated.
    """

    request: Any
    timeout_s: float
    method: str = "ModelInfer"
    once: bool = False


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for the answer of a ticket; the response is sent back."""

    ticket: Any


Steps: TypeAlias = Generator[Compute | Send | Receive, Any, Any]
"""Yields what to do, is sent what came of it, returns the result."""


def walk(steps: Steps, calls: Calls, observer: Observer | None) -> Any:
    """Do the steps in this thread, none once ``calls`` ended; cancel calls that nobody waits for any more."""
    with closing(steps), ExitStack() as sent:
        advance = partial(steps.send, None)
        while True:
            try:
                step = advance()
            except StopIteration as end:
                return end.value
            try:
                if calls.ended:
                    raise calls.lost()
                if isinstance(step, Compute):
                    with timed(observer, step.stage):
                        result = step.function()
                elif isinstance(step, Send):
                    with timed(observer, "send"):
                        result = sent.enter_context(calls.send(step))
                else:
                    with timed(observer, "wait"):
                        result = step.ticket.response()
            except AlphacutError as error:  # the steps may know what to do about it
                advance = partial(steps.throw, error)
            else:
                advance = partial(steps.send, result)


def ask(method: str, request: Any, timeout_s: float, *, once: bool = False) -> Steps:
    """Call and wait, without anything to do meanwhile."""
    ticket = yield Send(request, timeout_s, method, once)
    return (yield Receive(ticket))
