"""The page in a real browser: a photograph goes up, a cut-out is shown and downloaded."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytestmark = pytest.mark.triton

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
FLAGS = (
    "--no-sandbox",  # tests run as root in containers, where Chromium's sandbox does not start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; pip install playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("found no chromium on PATH; install Debian's package chromium to test the page")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Any, gateway: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page, open; whatever its console complains about, and every foreign address, fails the test."""
    context = browser.new_context(**getattr(request, "param", {}))
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda sent: sent.url.startswith((gateway, "blob:")) or complaints.append(sent.url))
    opened.goto(gateway)
    yield opened
    assert complaints == []
    context.close()


def download(page: Any, button: str) -> Image.Image:
    with page.expect_download() as told:
        page.locator(button).first.click()
    image = Image.open(io.BytesIO(Path(told.value.path()).read_bytes()))
    image.load()
    return image


def test_a_photograph_is_cut_out_by_one_upload_and_one_mask(page: Any) -> None:
    posts: list[str] = []
    page.on("request", lambda sent: posts.append(sent.url) if sent.method == "POST" else None)
    page.set_input_files("#files", SAMPLES / "cat.jpg")
    page.locator(".card .time").filter(has_text="ms in all").wait_for()
    with Image.open(SAMPLES / "cat.jpg") as photo:
        expected = photo.size
    cutout = download(page, ".png")
    assert (cutout.format, cutout.mode, cutout.size) == ("PNG", "RGBA", expected)
    assert cutout.getchannel("A").getextrema() == (0, 255)
    assert download(page, ".webp").format == "WEBP"
    page.get_by_label("White").check()
    page.wait_for_function("document.querySelector('canvas').getContext('2d').getImageData(0, 0, 1, 1).data[3] === 255")
    assert len(posts) == 1


def test_many_photographs_are_cut_out_and_can_be_removed(page: Any) -> None:
    page.set_input_files("#files", [SAMPLES / "rocket.jpg", SAMPLES / "coffee.jpg", SAMPLES / "dahlia.jpg"])
    page.get_by_text("3 of 3 cut out").wait_for()
    page.locator(".remove").first.click()
    page.get_by_text("2 of 2 cut out").wait_for()
    assert page.evaluate("document.activeElement.className") == "remove"


def test_the_slider_is_moved_by_keys(page: Any) -> None:
    page.set_input_files("#files", SAMPLES / "cat.jpg")
    page.locator(".card .time").filter(has_text="ms in all").wait_for()
    slider = page.get_by_role("slider", name=re.compile("Compare"))
    slider.focus()
    page.keyboard.press("Home")
    assert page.evaluate("document.querySelector('.stage').style.getPropertyValue('--split')") == "0%"


def test_a_broken_file_says_why_and_can_be_tried_again(page: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff")
    page.set_input_files("#files", broken)
    page.get_by_role("alert").filter(has_text="cannot show the file").wait_for()
    assert page.get_by_role("button", name="Try again").is_visible()


@pytest.mark.parametrize(
    "page",
    [{"viewport": {"width": 360, "height": 740}}, {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"}],
    ids=["phone", "dark"],
    indirect=True,
)
def test_nothing_is_wider_than_the_window(page: Any) -> None:
    page.set_input_files("#files", [SAMPLES / "cat.jpg", SAMPLES / "rocket.jpg"])
    page.get_by_text("2 of 2 cut out").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("page", [{}, {"color_scheme": "dark"}], ids=["light", "dark"], indirect=True)
def test_axe_finds_no_barrier(page: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page.set_input_files("#files", SAMPLES / "cat.jpg")
    page.get_by_text("1 of 1 cut out").wait_for()
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_api_is_described_without_other_hosts(page: Any, gateway: str) -> None:
    page.goto(f"{gateway}/docs")
    page.get_by_role("heading", name="POST /v1.0/removebg").wait_for()
