"""When a server that once answered is given up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import cast

import pytest

from alphacut_server.patience import Patience
from alphacut_server.prober import Prober
from alphacut_server.stubs import Stubs
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


class PlayedProber:
    """Is answered at once, and never once there are no more answers: what is wrong, or None."""

    def __init__(self, answers: Iterable[str | None]) -> None:
        self._answers = list(answers)
        self.asking = False

    def begin(self) -> None:
        assert not self.asking
        self.asking = True

    def has_outcome(self) -> bool:
        return bool(self._answers)

    def outcome(self) -> str | None:
        self.asking = False
        return self._answers.pop(0)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """One that waits for the end of its input."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as one:
        yield one


@pytest.fixture
def said() -> list[str]:
    """What was reported."""
    return []


@pytest.fixture
def reason(process: subprocess.Popen[bytes], said: list[str]) -> Callable[..., str | None]:
    """Why a server is given up whose probes are answered so."""

    def watched(answers: Iterable[str | None], looks: int, is_changing: Callable[[], bool] = lambda: False):
        prober, wakeup = cast(Prober, PlayedProber(answers)), cast(Wakeup, PlayedWakeup(looks))
        return watch(process, wakeup, AT_ONCE, prober, report=said.append, is_changing=is_changing)

    return watched


def test_two_failures_in_a_row_are_enough(reason: Callable[..., str | None], said: list[str]) -> None:
    assert reason([None, "no answer", "wrong answer"], looks=99) == "Triton is given up"
    assert said == ["Triton failed its probe: no answer", "Triton failed its probe: wrong answer"]


def test_one_failure_between_right_answers_is_none(reason: Callable[..., str | None], said: list[str]) -> None:
    assert reason([None, "no answer", None, "no answer", None], looks=99) is None
    assert len(said) == 2


def test_nothing_is_asked_while_a_version_takes_anothers_place(reason: Callable[..., str | None]) -> None:
    changing = iter([True] * 5)
    assert reason(["no answer"] * 2, looks=5, is_changing=lambda: next(changing)) is None


def test_its_end_is_told_with_its_status(process: subprocess.Popen[bytes], reason: Callable[..., str | None]) -> None:
    process.communicate()
    assert reason([], looks=9) == "Triton ended with status 1"


def test_its_end_is_seen_while_a_probe_is_under_way(process: subprocess.Popen[bytes]) -> None:
    class Ending(PlayedProber):
        def begin(self) -> None:
            super().begin()
            process.communicate()

    prober, wakeup = cast(Prober, Ending([])), cast(Wakeup, PlayedWakeup(99))
    ended = watch(process, wakeup, AT_ONCE, prober, report=pytest.fail)
    assert ended == "Triton ended with status 1"
    assert prober.asking


def test_the_death_of_a_stub_is_seen_while_a_probe_is_under_way(
    reason: Callable[..., str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = iter([[], [], [], ["u2netp"]])
    monkeypatch.setattr(Stubs, "dead", lambda _self: next(deaths))
    assert reason([], looks=9) == "the process of u2netp has died, and Triton goes on without it"


@pytest.mark.parametrize("looks", [0, 9])
def test_it_stops_when_told_also_while_a_probe_is_under_way(reason: Callable[..., str | None], looks: int) -> None:
    assert reason([], looks=looks) is None
