"""What is asked of a server that works, and what excuses it when it does not answer."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path
from typing import cast

import pytest

from alphacut_core.errors import InferenceError, UnavailableError
from alphacut_core.installed import Installed
from alphacut_server.health import Health
from alphacut_server.rounds import Rounds


class PlayedHealth:
    """A server whose engines have finished ``n_completed`` images each and whose probes end with ``error``."""

    def __init__(self) -> None:
        self.n_completed = 0
        self.error: Exception | None = None
        self.asked: list[str] = []
        self.checked: list[tuple[str, int]] = []
        self._probed: Counter[str] = Counter()

    def completed(self, engine: Installed, _timeout_s: float) -> int:
        return self.n_completed + self._probed[engine.engine]

    def check(self, engine: Installed, _timeout_s: float) -> None:
        self.checked.append((engine.engine, engine.version))
        self._answer("everything")
        self._probed[engine.engine] += 1

    def check_around(self, _engine: Installed, _timeout_s: float) -> None:
        self._answer("around")

    def _answer(self, what: str) -> None:
        self.asked.append(what)
        if self.error is not None:
            raise self.error


def engine(name: str, version: int = 1) -> Installed:
    return Installed(name, version, Path("config"), "", Path(str(version)), {})


@pytest.fixture
def health() -> PlayedHealth:
    return PlayedHealth()


@pytest.fixture
def rounds(health: PlayedHealth) -> Rounds:
    made = Rounds(cast(Health, health))
    made.begin([engine("u2netp")])
    return made


def test_an_engine_that_finishes_images_is_left_alone_and_the_steps_around_it_are_not(
    rounds: Rounds, health: PlayedHealth
) -> None:
    for n_images in (0, 7, 0, 0, 9):
        health.n_completed += n_images
        rounds.check_next()
    assert health.asked == ["everything", "around", "everything", "everything", "around"]


def test_silence_is_excused_while_images_are_finished_only(rounds: Rounds, health: PlayedHealth) -> None:
    health.n_completed, health.error = 7, UnavailableError("slow")
    rounds.check_next()
    with pytest.raises(UnavailableError):
        rounds.check_next()


def test_an_error_is_never_excused(rounds: Rounds, health: PlayedHealth) -> None:
    health.n_completed, health.error = 7, InferenceError("dead")
    with pytest.raises(InferenceError):
        rounds.check_next()


def test_every_engine_has_its_turn_and_one_that_is_not_well_keeps_it(rounds: Rounds, health: PlayedHealth) -> None:
    rounds.begin([engine("u2netp"), engine("u2net")])
    for error in (None, UnavailableError("slow"), UnavailableError("slow"), None, None):
        health.error = error
        with contextlib.suppress(UnavailableError):
            rounds.check_next()
    assert [name for name, _ in health.checked] == ["u2netp", "u2net", "u2net", "u2net", "u2netp"]


def test_at_the_start_every_engine_is_asked(rounds: Rounds, health: PlayedHealth) -> None:
    rounds.begin([engine("u2netp"), engine("u2net")])
    rounds.check_all()
    assert health.checked == [("u2netp", 1), ("u2net", 1)]


def test_another_version_takes_the_place_of_its_engine(rounds: Rounds, health: PlayedHealth) -> None:
    rounds.include(engine("u2netp", 2))
    rounds.include(engine("u2net", 7))
    rounds.check_all()
    assert health.checked == [("u2netp", 2), ("u2net", 7)]


def test_a_server_that_was_restarted_counts_from_nothing(rounds: Rounds, health: PlayedHealth) -> None:
    health.n_completed = 1_000
    rounds.check_next()
    rounds.begin([engine("u2netp")])
    health.n_completed, health.error = 1, UnavailableError("slow")
    rounds.check_next()
    assert health.asked == ["around", "around"]
