"""From a file on the page to its cut-out: every way in, progress, errors and what the network sees."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.triton

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
KEY = "a key for this test"


def test_nothing_is_sent_before_a_picture_is_given(page: Any, gateway: str) -> None:
    page.get_by_role("heading", name="Cut out any photograph").wait_for()
    page.wait_for_load_state("networkidle")
    assert page.posts == []
    assert {url for url in page.requests if not url.startswith(f"{gateway}/assets/")} == {
        f"{gateway}/",
        f"{gateway}/v1/models",
    }


def test_a_photograph_is_cut_out_by_one_upload_and_one_mask(
    page: Any, gateway: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page.wait_for_load_state("networkidle")
    before = len(page.requests)
    started = time.perf_counter()
    page.set_input_files("#files", SAMPLES / "cat.jpg")
    page.wait_for_mode("split")
    seen_s = time.perf_counter() - started
    told = page.locator("#times-title").inner_text()
    with capsys.disabled():
        print(f"\ncat.jpg in a browser, u2netp on this CPU: {told.lower()}; to be seen after {1000 * seen_s:.0f} ms")  # noqa: T201
    cutout = page.download_picture()
    assert (cutout.format, cutout.mode, cutout.size) == ("PNG", "RGBA", (451, 300))
    assert cutout.getchannel("A").getextrema() == (0, 255)
    sent = [url for url in page.requests[before:] if not url.startswith(("blob:", f"{gateway}/assets/"))]
    assert len(sent) == 1
    assert sent == page.posts
    assert "output=mask" in sent[0]


def test_the_cut_out_is_the_apis(page: Any, gateway: str) -> None:
    page.give(SAMPLES / "astronaut.jpg")
    ours = np.asarray(page.download_picture()).astype(float)
    answer = httpx.post(f"{gateway}/remove?decode=fast", content=(SAMPLES / "astronaut.jpg").read_bytes(), timeout=60)
    theirs = np.asarray(Image.open(io.BytesIO(answer.content))).astype(float)
    assert np.abs(ours[..., 3] - theirs[..., 3]).max() <= 1
    visible = theirs[..., 3] > 128  # a canvas keeps colours multiplied by alpha
    assert np.abs(ours - theirs)[visible].max() <= 3


def test_many_photographs_are_cut_out_and_can_be_removed(page: Any) -> None:
    page.give(SAMPLES / "rocket.jpg", SAMPLES / "coffee.jpg", SAMPLES / "dahlia.jpg")
    assert len(page.posts) == 3
    page.get_by_role("button", name="coffee.jpg done").click()
    page.get_by_role("img", name="Cut-out: coffee.jpg").wait_for()
    page.get_by_role("button", name="Remove rocket.jpg").click()
    page.get_by_text("2 of 2 cut out").wait_for()
    assert page.evaluate("document.activeElement.ariaLabel") == "Remove coffee.jpg"
    for name in ("coffee", "dahlia"):
        page.get_by_role("button", name=f"Remove {name}.jpg").click()
    page.get_by_role("heading", name="Cut out any photograph").wait_for()
    assert page.evaluate("document.activeElement.id") == "files"


@pytest.mark.parametrize(("event", "holder"), [("paste", "clipboardData"), ("drop", "dataTransfer")])
def test_a_picture_can_be_pasted_and_dropped(page: Any, event: str, holder: str) -> None:
    page.evaluate(
        "([event, holder, bytes]) => { const data = new DataTransfer();"
        " data.items.add(new File([Uint8Array.from(bytes)], 'given.jpg', {type: 'image/jpeg'}));"
        " data.items.add(new File(['words'], 'words.txt', {type: 'text/plain'}));"
        " const it = event === 'paste' ? new ClipboardEvent(event, {clipboardData: data, bubbles: true})"
        " : new DragEvent(event, {dataTransfer: data, bubbles: true, cancelable: true});"
        " document.body.dispatchEvent(it) }",
        [event, holder, list((SAMPLES / "cat.jpg").read_bytes())],
    )
    page.wait_for_mode("split")
    page.get_by_role("button", name="given.jpg done").wait_for()
    assert len(page.posts) == 1


def test_a_phone_can_take_a_photograph(open_page: Callable[..., Any]) -> None:
    phone = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert phone.locator("#camera").get_attribute("capture") == "environment"
    assert phone.get_by_text("Take a photograph").is_visible()
    phone.set_input_files("#camera", SAMPLES / "cat.jpg")
    phone.wait_for_mode("split")


def test_the_original_is_seen_at_once_and_progress_is_told(page: Any) -> None:
    held: list[Any] = []
    page.route("**/remove?**", lambda route: held.append(route) if "go" not in held else route.continue_())
    page.set_input_files("#files", [SAMPLES / "cat.jpg", SAMPLES / "rocket.jpg", SAMPLES / "coffee.jpg"])
    page.wait_for_function("document.querySelector('.original').naturalWidth > 0")
    assert page.get_by_role("img", name="Original: cat.jpg").is_visible()
    page.get_by_role("progressbar", name="Progress").wait_for()
    page.get_by_role("button", name="coffee.jpg waits").wait_for()  # two go up at a time
    page.get_by_text("0 of 3 cut out").wait_for()
    waiting = held[:]
    held.append("go")
    for route in waiting:
        route.continue_()
    page.get_by_text("3 of 3 cut out").wait_for()
    assert page.locator("#working").is_hidden()


def test_the_times_of_each_stage_are_told(page: Any) -> None:
    page.give(SAMPLES / "cat.jpg")
    page.locator("#times-title").click()
    names = page.locator("#times dt").all_inner_texts()
    assert names[0] == "Upload"
    assert {"Decoding", "Network", "Scaling the mask", "Writing the mask"} <= set(names)
    assert all(text.endswith(" ms") for text in page.locator("#times dt + dd").all_inner_texts())


def test_a_broken_file_says_why_and_can_be_tried_again(page: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff")
    page.set_input_files("#files", broken)
    page.get_by_role("alert").filter(has_text="broken or cut off").wait_for()
    assert len(page.posts) == 1
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("alert").wait_for()
    page.wait_for_function("document.querySelector('#failed').hidden === false")
    assert len(page.posts) == 2


def test_a_server_that_cannot_be_reached_is_named_and_a_second_try_succeeds(page: Any) -> None:
    page.route("**/remove?**", lambda route: route.abort())
    page.set_input_files("#files", SAMPLES / "cat.jpg")
    page.get_by_role("alert").filter(has_text="cannot be reached").wait_for()
    page.unroute("**/remove?**")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_mode("split")


def test_a_photograph_is_cut_out_though_the_server_was_away_when_the_page_was_opened(page: Any) -> None:
    page.route("**/v1/models", lambda route: route.abort())
    page.reload()
    page.wait_for_load_state("networkidle")
    page.give(SAMPLES / "cat.jpg")


def test_a_busy_server_is_asked_again_when_it_said(page: Any) -> None:
    asked: list[float] = []

    def answer(route: Any) -> None:
        asked.append(time.monotonic())
        if len(asked) == 1:
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"error": {"code": "busy", "message": "full"}})
        else:
            route.continue_()

    page.route("**/remove?**", answer)
    page.set_input_files("#files", SAMPLES / "cat.jpg")
    page.get_by_text("The server is busy").wait_for()
    page.wait_for_mode("split")
    assert asked[1] - asked[0] >= 1


def test_a_key_is_asked_for_where_one_is_needed_and_forgotten_with_the_tab(
    open_page: Callable[..., Any], start_gateway: Callable[..., Any], server_url: str
) -> None:
    closed = start_gateway(
        "--url", server_url, ALPHACUT_GATEWAY_API_KEY_HASHES=hashlib.sha256(KEY.encode()).hexdigest()
    )
    page = open_page(closed.url)
    page.set_input_files("#files", SAMPLES / "cat.jpg")
    dialog = page.get_by_role("dialog", name="API key")
    dialog.wait_for()
    dialog.get_by_label("Key", exact=True).fill(KEY)
    page.keyboard.press("Enter")
    page.wait_for_mode("split")
    assert page.evaluate("Object.values(sessionStorage)") == [KEY]
    assert page.evaluate("localStorage.length + document.cookie.length") == 0


@pytest.mark.parametrize(("kind", "orientation"), [("jpg", 3), ("jpg", 6), ("jpg", 8), ("webp", 3), ("webp", 6)])
def test_a_turned_photograph_stands_upright(page: Any, tmp_path: Path, kind: str, orientation: int) -> None:
    with Image.open(SAMPLES / "cat.jpg") as photo:
        exif = Image.Exif()
        exif[0x0112] = orientation
        photo.save(tmp_path / f"turned.{kind}", exif=exif, quality=95)
        turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_270, 8: Image.Transpose.ROTATE_90}[orientation]
        expected = np.asarray(photo.transpose(turn)).astype(float)
    page.give(tmp_path / f"turned.{kind}")
    page.slide("threshold", 1)
    page.slide("shift", 15)
    cutout = np.asarray(page.download_picture()).astype(float)
    assert cutout.shape[:2] == expected.shape[:2]
    seen = cutout[..., 3] == 255
    assert seen.mean() > 0.02
    assert np.abs(cutout[..., :3] - expected)[seen].mean() < 6


def test_a_tiff_is_shown_by_way_of_the_server(page: Any, tmp_path: Path) -> None:
    with Image.open(SAMPLES / "cat.jpg") as photo:
        photo.save(tmp_path / "scan.tiff")
        expected = np.asarray(photo).astype(float)
    page.give(tmp_path / "scan.tiff")
    assert len(page.posts) == 1
    page.get_by_text("This browser cannot show TIFF files").wait_for()
    page.wait_for_function("document.querySelector('.original').naturalWidth === 451")
    page.get_by_role("button", name="Brush").click()
    page.choose("Restore")
    page.slide("brush-size", 150)
    box = page.locator("#stage").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    page.mouse.down()
    page.mouse.up()
    name, content = page.download()
    cutout = np.asarray(Image.open(io.BytesIO(content))).astype(float)
    assert name == "scan-cutout.png"
    opaque = cutout[..., 3] == 255
    assert opaque.any()
    assert np.abs(cutout[..., :3] - expected)[opaque].max() <= 1  # the very colours, restored ones too
