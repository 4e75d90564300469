"""Everybody can use the page: axe in every state, keys alone, small windows, no jumps, no motion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.triton

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
STATES = ("empty", "working", "done", "failed", "brush", "beside", "key")


def bring(page: Any, state: str, tmp_path: Path) -> None:
    """Bring a page into a state."""
    if state == "working":
        page.route("**/remove?**", lambda route: None)
        page.set_input_files("#files", SAMPLES / "cat.jpg")
        page.get_by_role("progressbar").wait_for()
    elif state == "failed":
        (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
        page.set_input_files("#files", tmp_path / "broken.jpg")
        page.get_by_role("alert").wait_for()
    elif state == "key":
        page.get_by_role("button", name="API key").click()
        page.get_by_role("dialog").wait_for()
    elif state != "empty":
        page.give(SAMPLES / "cat.jpg")
        page.locator("#times-title").click()
        page.choose("Colour")
    if state in ("brush", "beside"):
        page.get_by_role("button", name={"brush": "Brush", "beside": "Side by side"}[state]).click()
        page.wait_for_mode(state)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier_in_any_state(open_page: Callable[..., Any], tmp_path: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    for state in STATES:
        page = open_page(color_scheme=scheme, reduced_motion="reduce")
        bring(page, state, tmp_path)
        found = axe.Axe().run(page.tab)
        assert found.violations_count == 0, f"{state}: {found.generate_report()}"


def test_the_way_from_file_to_download_needs_no_pointer(page: Any) -> None:
    page.give(SAMPLES / "cat.jpg")
    reached = []
    page.evaluate("document.querySelector('#stage').focus()")
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.name"))
        if reached[-1] == "save":
            break
    wanted = ["handle", "zoom-in", "beside", "brush-on", "more", "background", "threshold", "feather", "type", "save"]
    assert [name for name in reached if name in wanted] == wanted
    with page.expect_download() as told:
        page.keyboard.press("Enter")
    assert told.value.suggested_filename == "cat-cutout.png"


def test_whatever_has_the_focus_shows_it(page: Any) -> None:
    page.give(SAMPLES / "cat.jpg")
    page.evaluate("document.querySelector('#stage').focus()")
    seen = "([style, width]) => style !== 'none' && width > 0"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break  # once around
        shown = page.evaluate(
            "() => { const it = document.activeElement; const near = [it, it.closest('label'), it.nextElementSibling];"
            " const marks = near.filter(Boolean).flatMap((el) => [getComputedStyle(el),"
            " getComputedStyle(el, '::after')]);"
            f" return marks.map((m) => [m.outlineStyle, parseFloat(m.outlineWidth)]).some({seen}) }}"
        )
        assert shown, page.evaluate("document.activeElement.outerHTML")
    else:
        pytest.fail("the focus never left the page")


@pytest.mark.parametrize(
    "context", [PHONE, {"viewport": {"width": 320, "height": 640}}, {"viewport": {"width": 640, "height": 360}}],
    ids=["phone", "narrow", "low"],
)  # fmt: skip
def test_nothing_is_wider_than_the_window(open_page: Callable[..., Any], tmp_path: Path, context: Any) -> None:
    for state in ("empty", "failed", "brush"):
        page = open_page(**context)
        bring(page, state, tmp_path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), state


def test_nothing_jumps_while_a_picture_is_cut_out(page: Any) -> None:
    page.evaluate(
        "() => { window.jumps = []; new PerformanceObserver((list) => window.jumps.push(...list.getEntries()"
        ".map((entry) => entry.value))).observe({type: 'layout-shift', buffered: true}) }"
    )
    held: list[Any] = []
    page.route("**/remove?**", lambda route: held.append(route) or None)
    with page.expect_request("**/remove?**"):
        page.set_input_files("#files", SAMPLES / "cat.jpg")
    page.get_by_role("progressbar").wait_for()
    page.evaluate("() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
    page.evaluate("window.jumps.length = 0")  # the editor taking the place of the empty page is what was asked for
    held[0].continue_()
    page.wait_for_mode("split")
    page.slide("feather", 5)
    page.evaluate("() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
    assert sum(page.evaluate("window.jumps")) < 0.01


def test_whoever_wants_less_motion_gets_none(open_page: Callable[..., Any]) -> None:
    page = open_page(reduced_motion="reduce")
    page.give(SAMPLES / "cat.jpg")
    moving = page.evaluate(
        "[...document.querySelectorAll('*')].filter((it) => { const s = getComputedStyle(it);"
        " return parseFloat(s.transitionDuration) > 0 || s.animationName !== 'none' }).length"
    )
    assert moving == 0


def test_the_api_is_described_without_other_hosts(page: Any, gateway: str) -> None:
    page.goto(f"{gateway}/docs")
    page.get_by_role("heading", name="POST /v1.0/removebg").wait_for()
