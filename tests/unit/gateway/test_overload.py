"""More than fits: refused early, answered from a smaller tier where that is allowed, and never kept waiting in vain."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from alphacut_core import codec, render
from alphacut_core.tiers import MODES
from alphacut_gateway import admission, deadline
from alphacut_gateway.admission import Budget
from alphacut_gateway.deadline import Deadline, Pace
from alphacut_gateway.refusals import BusyError, HopelessDeadlineError
from alphacut_gateway.tier import Tier


def png(width: int, height: int) -> bytes:
    return codec.encode_png(Image.new("RGB", (width, height)))


def test_a_picture_costs_its_pixels_and_its_tiers_work() -> None:
    costs = [admission.cost(1000, 1000, Tier(mode=mode)) for mode in MODES]
    assert costs == pytest.approx([2.0, 1.64, 1.25])


def test_what_does_not_fit_is_refused_and_holds_nothing() -> None:
    budget = Budget(10, "megapixels")
    with budget.hold(6):
        with budget.hold(4):
            assert budget.held == 10
        with pytest.raises(BusyError, match=r"6 of 10 megapixels .* this request needs 4\.1"):
            budget.hold(4.1).__enter__()
        assert budget.held == 6
    assert budget.held == 0


def test_what_is_larger_than_everything_is_let_in_alone() -> None:
    budget = Budget(10, "megapixels")
    with budget.hold(50), pytest.raises(BusyError):
        budget.hold(1).__enter__()
    with budget.hold(1), pytest.raises(BusyError):
        budget.hold(50).__enter__()


def test_where_nothing_is_left_nothing_is_begun_but_what_is_there_is_counted() -> None:
    budget = Budget(10, "megabytes")
    with budget.count(9.5):
        budget.check()
        with budget.count(0.5), pytest.raises(BusyError, match="10 of 10 megabytes are under way"):
            budget.check()
        with budget.count(20):
            assert budget.held == 29.5


@given(amounts=st.lists(st.floats(0.01, 60), min_size=1, max_size=30), order=st.randoms(use_true_random=False))
def test_a_budget_is_whole_again_however_requests_end(amounts: list[float], order: random.Random) -> None:
    budget = Budget(100, "megapixels")
    under_way = [budget.count(amount) for amount in amounts]
    for one in under_way:
        one.__enter__()
    assert budget.held == pytest.approx(sum(amounts))
    order.shuffle(under_way)
    for number, one in enumerate(under_way):
        failure = ValueError() if number % 2 else None
        with contextlib.suppress(ValueError):
            one.__exit__(failure and ValueError, failure, None)
    assert budget.held == 0


@pytest.mark.parametrize(("held", "expected"), [(0, "full"), (49, "full"), (50, "medium"), (80, "lite"), (100, "lite")])
def test_load_steps_a_tier_down_at_a_time(held: float, expected: str) -> None:
    budget = Budget(100, "megapixels")
    budget.held = held
    served = frozenset(Tier(mode=mode) for mode in MODES)
    assert admission.stepped_down(Tier(), budget, served).mode == expected
    assert admission.stepped_down(Tier(), budget, frozenset({Tier()})).mode == "full"
    assert admission.stepped_down(Tier(mode="lite"), budget, served).mode == "lite"


@pytest.mark.parametrize(("allowed", "expected"), [(True, "medium; requested=full"), (False, "full")])
def test_a_step_down_is_announced_and_off_unless_allowed(
    play: Any, predictor: Any, photo: bytes, *, allowed: bool, expected: str
) -> None:
    async def scenario(client: httpx.AsyncClient) -> tuple[httpx.Response, str]:
        predictor.gate = asyncio.Event()
        first = asyncio.ensure_future(client.post("/remove", content=png(1000, 1200)))
        await predictor.arrived.wait()
        second = asyncio.ensure_future(client.post("/remove", content=photo))
        while len(predictor.pictures) < 2:
            await asyncio.sleep(0)
        predictor.gate.set()
        await first
        return await second, (await client.get("/metrics")).text

    # The first request holds 2.2 of 4 megapixels and is followed by one that fits.
    response, numbers = play(scenario, step_down=allowed, max_megapixels_in_flight=4)
    assert response.status_code == 200
    assert response.headers["x-alphacut-mode"] == expected
    assert ("stepped_down_total{" in numbers) == allowed


@pytest.mark.parametrize(
    ("mode", "asked"), [("fast", "lite"), ("lite", "lite"), ("medium", "medium"), ("full", "full")]
)
def test_a_mode_asks_the_tier_of_that_name(post: Any, predictor: Any, photo: bytes, mode: str, asked: str) -> None:
    response = post(f"/remove?mode={mode}", content=photo)
    assert response.headers["x-alphacut-mode"] == asked
    assert predictor.asked == [("u2netp", asked)]


def test_a_tier_that_is_not_served_is_refused_with_those_that_are(post: Any, predictor: Any, photo: bytes) -> None:
    predictor.tiers = ("full",)
    response = post("/remove?mode=fast", content=photo)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "model-unknown")
    assert "full" in response.json()["error"]["message"]


def test_a_mask_that_comes_too_late_is_given_up_on_the_server_too(post: Any, predictor: Any, photo: bytes) -> None:
    predictor.gate = asyncio.Event()
    response = post("/remove", content=photo, headers={"X-Request-Timeout-Ms": "200"})
    assert (response.status_code, response.json()["error"]["code"]) == (504, "deadline")
    assert predictor.cancelled == 1


def test_work_that_comes_too_late_is_given_up_at_once_or_when_its_stage_ends(
    play: Any, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go = threading.Event(), threading.Event()
    encoded: list[object] = []

    def slow(picture: Image.Image, *_: Any) -> Image.Image:
        begun.set()
        go.wait(30)
        return picture

    monkeypatch.setattr(render, "render", slow)
    monkeypatch.setattr(render, "encode", lambda *_: encoded.append(1) or b"")

    async def scenario(client: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response]:
        headers = {"X-Request-Timeout-Ms": "300"}
        late = asyncio.ensure_future(client.post("/remove", content=photo, headers=headers))
        await asyncio.to_thread(begun.wait, 30)
        try:
            queued = await client.post("/remove", content=photo, headers=headers)
            assert not late.done()
        finally:
            go.set()
        return await late, queued

    for response in play(scenario, threads=1):
        assert (response.status_code, response.json()["error"]["code"]) == (504, "deadline")
    assert encoded == []


@pytest.mark.parametrize("text", ["soon", "0", "-1", "1.5", "3600001", "99999999999", "0000001000" + "9" * 5000, "²"])
def test_a_deadline_that_cannot_be_read_is_refused(post: Any, photo: bytes, text: str) -> None:
    response = post("/remove", content=photo, headers={"X-Request-Timeout-Ms": text.encode()})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "request-malformed")


@pytest.mark.parametrize("milliseconds", [1, 3_600_000])
def test_a_deadline_may_be_from_a_millisecond_to_an_hour(milliseconds: int) -> None:
    left_s = deadline.of({"x-request-timeout-ms": str(milliseconds)}).left_s
    assert left_s == pytest.approx(milliseconds / 1000, abs=0.5)


def test_a_hopeless_deadline_is_refused_before_anything_is_read() -> None:
    now = 100.0
    pace = Pace(lambda: now)
    pace.check(Deadline(0.01))  # nothing is known yet
    pace.observe(2.0)
    pace.check(Deadline(None))
    pace.check(Deadline(2.5))
    with pytest.raises(HopelessDeadlineError):
        pace.check(Deadline(1.0))
    pace.check(Deadline(2.0, clock=lambda: now))
    now = 120.0  # what was slow then says little now
    assert pace.expected_s == pytest.approx(0.5)
    pace.check(Deadline(1.0))


def test_the_pace_follows_the_latest_requests() -> None:
    pace = Pace(lambda: 0.0)
    pace.observe(1.0)
    for _ in range(30):
        pace.observe(0.1)
    assert 0.1 <= pace.expected_s < 0.11
    pace.observe(1.0)
    assert pace.expected_s < 0.3, "no single request decides"
