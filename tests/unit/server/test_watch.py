"""When a server that once answered is given up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import cast

import pytest

from alphacut_server.patience import Patience
from alphacut_server.wakeup import Wakeup
from alphacut_server.watch import watch

AT_ONCE = Patience(probe_every_s=0.0, look_every_s=0.0)


class PlayedWakeup:
    """Says that it is time to stop after so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def wait(self, _timeout_s: float) -> bool:
        self.looks -= 1
        return self.looks < 0


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """One that waits for the end of its input."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as one:
        yield one


def reason(process: subprocess.Popen[bytes], answers: Iterable[bool], looks: int) -> str | None:
    said = iter(answers)
    return watch(process, cast(Wakeup, PlayedWakeup(looks)), AT_ONCE, lambda _stubs: next(said))


def test_two_denials_in_a_row_are_enough(process: subprocess.Popen[bytes]) -> None:
    assert reason(process, [True, False, False], looks=9) == "Triton is given up"


def test_one_denial_between_right_answers_is_none(process: subprocess.Popen[bytes]) -> None:
    assert reason(process, [True, False, True, False, True], looks=5) is None


def test_its_end_is_told_with_its_status(process: subprocess.Popen[bytes]) -> None:
    process.communicate()
    assert reason(process, [], looks=9) == "Triton ended with status 1"


def test_it_stops_when_told(process: subprocess.Popen[bytes]) -> None:
    assert reason(process, [], looks=0) is None
