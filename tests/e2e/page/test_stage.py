"""Looking: the slider, zoom, two at a time, and comparing tiers; by mouse, fingers and keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.triton

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def page(page: Any) -> Any:
    page.give(SAMPLES / "astronaut.jpg")
    return page


def split(page: Any) -> int:
    return int(page.get_by_role("slider", name="Compare", exact=True).get_attribute("aria-valuenow"))


def zoom(page: Any) -> float:
    return page.locator(".after .sheet").bounding_box()["width"]


def touch(fingers: Any, kind: str, *points: tuple[float, float]) -> None:
    places = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})


def test_the_slider_is_moved_by_keys_and_tells_its_value(page: Any) -> None:
    slider = page.get_by_role("slider", name="Compare", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    assert split(page) == 0
    for key, value in (("ArrowRight", 2), ("PageUp", 12), ("ArrowLeft", 10), ("End", 100)):
        page.keyboard.press(key)
        assert split(page) == value
    assert slider.get_attribute("aria-valuetext") == "100 % before, 0 % after"


def test_the_slider_follows_the_mouse(page: Any) -> None:
    box = page.locator(".after .sheet").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 100, steps=3)
    page.mouse.up()
    assert split(page) == pytest.approx(25, abs=1)


def test_a_finger_moves_the_slider_and_two_zoom(open_page: Callable[..., Any]) -> None:
    phone = open_page(**PHONE)
    phone.give(SAMPLES / "astronaut.jpg")
    fingers = phone.context.new_cdp_session(phone.tab)
    box = phone.locator(".after .sheet").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch(fingers, "touchStart", (x, y))
    for step in range(1, 6):
        touch(fingers, "touchMove", (x - 20 * step, y))
    touch(fingers, "touchEnd")
    assert split(phone) == pytest.approx(100 * (x - 100 - box["x"]) / box["width"], abs=2)
    touch(fingers, "touchStart", (x - 30, y), (x + 30, y))
    for step in range(1, 6):
        touch(fingers, "touchMove", (x - 30 - 10 * step, y), (x + 30 + 10 * step, y))
    touch(fingers, "touchEnd")
    assert zoom(phone) == pytest.approx(box["width"] * 160 / 60, rel=0.05)


def test_the_wheel_zooms_about_the_pointer_and_dragging_moves(page: Any) -> None:
    before = page.locator(".after .sheet").bounding_box()
    x, y = before["x"] + before["width"] * 0.7, before["y"] + before["height"] * 0.3
    page.mouse.move(x, y)
    page.mouse.wheel(0, -600)
    page.wait_for_function("document.querySelector('#stage').dataset.zoomed === 'true'")
    after = page.locator(".after .sheet").bounding_box()
    assert after["width"] == pytest.approx(4 * before["width"], rel=0.01)
    assert (x - after["x"]) / after["width"] == pytest.approx(0.7, abs=0.01)
    page.mouse.down()
    page.mouse.move(x + 40, y + 30, steps=2)
    page.mouse.up()
    moved = page.locator(".after .sheet").bounding_box()
    assert (moved["x"] - after["x"], moved["y"] - after["y"]) == pytest.approx((40, 30), abs=1)


def test_buttons_and_keys_zoom_and_fit(page: Any) -> None:
    fitted = zoom(page)
    page.get_by_role("button", name="Zoom in").click()
    assert zoom(page) == pytest.approx(1.5 * fitted, rel=0.01)
    page.get_by_role("button", name="Fit").click()
    assert zoom(page) == pytest.approx(fitted)
    page.locator("#stage").focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    left = page.locator(".after .sheet").bounding_box()["x"]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("0")
    assert zoom(page) == pytest.approx(fitted)
    assert left < page.locator(".after .sheet").bounding_box()["x"]


def test_before_and_after_stand_side_by_side(page: Any) -> None:
    page.get_by_role("button", name="Side by side").click()
    page.wait_for_mode("beside")
    left, right = (page.locator(f".{side} .sheet").bounding_box() for side in ("before", "after"))
    assert left["x"] + left["width"] <= right["x"]
    assert left["width"] == pytest.approx(right["width"])
    page.get_by_role("button", name="Zoom in").click()
    assert page.locator(".before .sheet").bounding_box()["width"] == pytest.approx(1.5 * left["width"], rel=0.01)


def test_two_tiers_are_compared_with_their_times(open_page: Callable[..., Any], gateway: str) -> None:
    page = open_page("about:blank")
    page.url = gateway
    listed = {
        "models": [
            {"name": "u2netp", "mode": "full", "size": 320, "precision": "int8", "time_ms": 64.0, "mean_iou": 0.988},
            {"name": "u2netp", "mode": "lite", "size": 160, "precision": "int8", "time_ms": 16.0, "mean_iou": 0.91},
        ]
    }
    asked: list[str] = []

    def answer(route: Any) -> None:
        # Whether or not this server has the smaller tier, the page asks for it by name; the full one answers.
        asked.append(route.request.url)
        route.continue_(url=route.request.url.replace("mode=lite", "mode=full"))

    page.route("**/v1/models", lambda route: route.fulfill(json=listed))
    page.route("**/remove?**", answer)
    page.goto(gateway)
    page.give(SAMPLES / "cat.jpg")
    assert "mode=full" in asked[0]
    page.get_by_text("64 ms a picture").wait_for()
    page.get_by_label("Compare with").select_option("lite")
    page.locator("#tag-left").filter(has_text="lite").filter(has_text=" ms").wait_for()
    page.locator("#tag-right").filter(has_text="full").filter(has_text=" ms").wait_for()
    assert ["mode=lite" in url for url in asked] == [False, True]
    assert page.get_by_role("img", name="Compared cut-out").is_visible()
    page.get_by_role("button", name="Side by side").click()
    page.wait_for_mode("beside")
    page.get_by_label("Cut out by").select_option("lite")
    page.wait_for_function("document.querySelector('#before').hidden")  # compared with itself: the original again
    assert len(asked) == 2
