"""What is asked of a server that works, and what excuses it when it does not answer."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from alphacut_core.errors import InferenceError, UnavailableError
from alphacut_core.installed import Installed
from alphacut_server.health import Health
from alphacut_server.rounds import Rounds


class PlayedHealth:
    """A server whose engine has finished ``n_completed`` images and whose probes end with ``error``."""

    def __init__(self) -> None:
        self.n_completed = 0
        self.error: Exception | None = None
        self.asked: list[str] = []

    def completed(self, _engine: Installed, _timeout_s: float) -> int:
        return self.n_completed

    def check(self, _engine: Installed, _timeout_s: float) -> None:
        self._answer("everything")
        self.n_completed += 1

    def check_around(self, _engine: Installed, _timeout_s: float) -> None:
        self._answer("around")

    def _answer(self, what: str) -> None:
        self.asked.append(what)
        if self.error is not None:
            raise self.error


@pytest.fixture
def health() -> PlayedHealth:
    return PlayedHealth()


@pytest.fixture
def rounds(health: PlayedHealth) -> Rounds:
    made = Rounds(cast(Health, health))
    made.begin([Installed("u2netp", 1, Path("config"), "", Path("1"), {})])
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
