"""Which failures are repeated, how soon, and how often altogether."""

from __future__ import annotations

import pytest

from alphacut_client._retry import Backoff, RetryBudget
from alphacut_core.errors import (
    DeadlineError,
    InferenceError,
    InputError,
    OverloadedError,
    UnavailableError,
)


def test_a_budget_lets_a_burst_through_and_then_a_steady_few() -> None:
    now_s = 0.0
    budget = RetryBudget(ratio=0.2, rate_per_s=10, clock=lambda: now_s)
    waits = [budget.reserve(100.0) for _ in range(30)]
    assert waits[:10] == [0.0] * 10
    assert waits[10:] == pytest.approx([0.1 * n for n in range(1, 21)])
    now_s = 2.0  # what was promised is paid off
    assert budget.reserve(100.0) == pytest.approx(0.1)


def test_a_fifth_of_the_requests_may_be_repeated() -> None:
    budget = RetryBudget(ratio=0.2, rate_per_s=1, clock=lambda: 0.0)
    for _ in range(100):
        budget.count_request()
    granted = sum(budget.reserve(0.0) == 0.0 for _ in range(100))
    assert granted in (20, 21)


def test_saved_tokens_are_bounded() -> None:
    budget = RetryBudget(capacity=5, rate_per_s=1, clock=lambda: 0.0)
    for _ in range(1000):
        budget.count_request()
    assert sum(budget.reserve(0.0) == 0.0 for _ in range(100)) == 5


def test_an_idle_hour_saves_no_more_than_that() -> None:
    now_s = 0.0
    budget = RetryBudget(capacity=5, rate_per_s=1, clock=lambda: now_s)
    now_s = 3600.0
    assert sum(budget.reserve(0.0) == 0.0 for _ in range(100)) == 5


def test_a_retry_that_would_come_too_late_costs_nothing() -> None:
    budget = RetryBudget(ratio=0, rate_per_s=1, clock=lambda: 0.0)
    assert budget.reserve(0.0) == 0.0
    assert budget.reserve(0.5) is None
    assert budget.reserve(1.0) == pytest.approx(1.0)


def backoff(retry_for_s: float = 100.0, **way: bool) -> Backoff:
    return Backoff(retry_for_s, RetryBudget(), **way)


@pytest.mark.parametrize("error", [InputError("x"), InferenceError("x"), OverloadedError("x"), DeadlineError("x")])
def test_what_cannot_succeed_is_not_repeated(error: Exception) -> None:
    assert backoff().pause_s(error) is None


@pytest.mark.parametrize("error", [InputError("x"), InferenceError("x"), DeadlineError("x")])
def test_patience_is_for_full_queues_alone(error: Exception) -> None:
    assert backoff(patient=True).pause_s(error) is None


def test_pauses_double_from_a_tenth_of_a_second_to_two_seconds_and_differ() -> None:
    repeated = backoff()
    pauses = [repeated.pause_s(UnavailableError("gone")) for _ in range(10)]
    assert all(pause is not None and 0 <= pause <= min(2, 0.1 * 2**n) for n, pause in enumerate(pauses))
    assert len(set(pauses)) == 10


def test_every_request_brings_its_part_of_a_retry() -> None:
    budget = RetryBudget(ratio=0.2, rate_per_s=1, clock=lambda: 0.0)
    for _ in range(100):
        Backoff(100.0, budget)
    assert sum(budget.reserve(0.0) == 0.0 for _ in range(100)) in (20, 21)


def test_a_batch_comes_back_to_a_full_queue_when_the_hint_says() -> None:
    error = OverloadedError("full")
    error.retry_after_s = 7.0
    pause = backoff(patient=True).pause_s(error)
    assert pause is not None
    assert pause >= 7.0


def test_with_several_servers_a_passed_deadline_is_worth_one_more_attempt() -> None:
    repeated = backoff(retry_for_s=0.0, several=True)
    assert repeated.pause_s(DeadlineError("hung")) is not None
    assert repeated.pause_s(DeadlineError("hung")) is None


def test_no_attempt_begins_after_the_time_for_retries() -> None:
    assert backoff(retry_for_s=0.0).pause_s(UnavailableError("gone")) is None
