"""Background, edge and downloads: worked out in the browser, without another request."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.triton

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
MIDDLE = (0.5, 0.5)
CORNER = (0.01, 0.02)


def alpha_of(page: Any) -> np.ndarray:
    return np.asarray(page.download_picture().getchannel("A")).astype(int)


def test_every_background_is_painted_without_a_request(page: Any, disc: Path, tmp_path: Path) -> None:
    page.give(disc)
    sent = len(page.requests)
    page.choose("Colour")
    page.get_by_role("button", name="Blue").click()
    page.wait_for_pixel(*CORNER, "a === 255 && b === 246 && r === 59")
    assert page.download_picture().getpixel((2, 2)) == (59, 130, 246, 255)

    Image.new("RGB", (90, 300), (10, 200, 30)).save(tmp_path / "lawn.png")
    page.choose("Picture")
    page.set_input_files("#own", tmp_path / "lawn.png")
    page.wait_for_pixel(*CORNER, "a === 255 && g === 200")
    assert page.download_picture().getpixel((2, 2)) == (10, 200, 30, 255)

    page.choose("Blur")
    page.wait_for_pixel(*CORNER, "a === 255 && Math.abs(g - 160) < 8 && Math.abs(r - 150) < 8")
    page.choose("None")
    page.wait_for_pixel(*CORNER, "a === 0")
    posts = [url for url in page.requests[sent:] if not url.startswith("blob:")]
    assert posts == []


def test_a_background_that_is_no_picture_is_refused_and_spoils_nothing(page: Any, disc: Path, tmp_path: Path) -> None:
    (tmp_path / "phone.heic").write_bytes(b"not for browsers")
    page.give(disc, SAMPLES / "cat.jpg")
    page.choose("Picture")
    page.set_input_files("#own", tmp_path / "phone.heic")
    page.get_by_text("This browser cannot show phone.heic; choose a JPEG or PNG.").wait_for()
    assert page.locator("#own-name").inner_text() == "It stays in this browser."
    page.get_by_role("button", name="cat.jpg done").click()
    page.get_by_role("img", name="Cut-out: cat.jpg").wait_for()
    page.wait_for_mode("split")
    assert page.download_picture().size == (451, 300)


def test_controls_that_move_while_another_picture_is_opened_show_that_one(page: Any, tmp_path: Path) -> None:
    for name, color in {"red": (200, 30, 30), "blue": (30, 30, 200)}.items():
        Image.new("RGB", (600, 400), color).save(tmp_path / f"{name}.png")
    page.give(tmp_path / "red.png", tmp_path / "blue.png")
    page.choose("Blur")
    page.wait_for_pixel(*MIDDLE, "r === 200")
    page.evaluate(
        "() => { document.querySelectorAll('.show')[1].click(); const it = document.getElementById('feather');"
        " it.value = 3; it.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    page.wait_for_pixel(*MIDDLE, "b === 200")


def test_the_blurred_background_has_no_halo_of_the_subject(page: Any, disc: Path) -> None:
    page.give(disc)
    page.slide("threshold", 50)
    page.slide("shift", 10)
    page.choose("Blur")
    page.slide("strength", 60)
    page.wait_for_pixel(*CORNER, "a === 255")
    seen = page.pixels().astype(int)
    alpha = alpha_of_shape(page)
    beside = (alpha == 0) & near(alpha > 0, 12)
    assert beside.any()
    # The field is grey, so red and green differ only where the disc's red has spread.
    assert (seen[..., 0] - seen[..., 1])[beside].mean() < 12


def alpha_of_shape(page: Any) -> np.ndarray:
    page.choose("None")
    page.wait_for_pixel(*CORNER, "a === 0")
    return page.pixels()[..., 3].astype(int)


def near(mask: np.ndarray, reach: int) -> np.ndarray:
    ndimage = pytest.importorskip("scipy.ndimage", reason="scipy is not installed")
    return ndimage.binary_dilation(mask, iterations=reach)


def test_the_edge_is_shaped_and_reset_without_a_request(page: Any, disc: Path) -> None:
    page.give(disc)
    plain = alpha_of(page)
    sent = len(page.posts)
    page.slide("threshold", 50)
    clear = alpha_of(page)
    assert ((clear > 0) & (clear < 255)).mean() < ((plain > 0) & (plain < 255)).mean()
    page.slide("shift", 10)
    wider = alpha_of(page)
    page.slide("shift", -10)
    narrower = alpha_of(page)
    assert (narrower > 128).sum() < (clear > 128).sum() < (wider > 128).sum()
    page.slide("feather", 15)
    soft = alpha_of(page)
    assert ((soft > 0) & (soft < 255)).sum() > 2 * ((narrower > 0) & (narrower < 255)).sum()
    page.get_by_role("button", name="Reset the edge").click()
    assert np.array_equal(alpha_of(page), plain)
    assert len(page.posts) == sent


def test_the_preview_shows_what_is_saved(page: Any, disc: Path) -> None:
    page.give(disc)
    page.slide("threshold", 40)
    page.slide("feather", 8)
    page.wait_for_function("document.querySelector('output[for=feather]').value === '8 ‰'")
    saved = alpha_of(page)
    page.wait_for_pixel(*CORNER, "a === 0")
    assert np.abs(page.pixels()[..., 3].astype(int) - saved).mean() < 0.1


def test_large_photographs_are_worked_on_small_and_saved_whole(page: Any, tmp_path: Path) -> None:
    with Image.open(SAMPLES / "astronaut.jpg") as photo:
        photo.resize((4000, 3000)).save(tmp_path / "large.jpg", quality=80)
    page.give(tmp_path / "large.jpg")
    assert page.evaluate("document.querySelector('#after').width") == 1600
    page.slide("feather", 5)
    page.choose("WebP")
    name, content = page.download()
    assert name == "large-cutout.webp"
    with Image.open(io.BytesIO(content)) as saved:
        assert (saved.format, saved.size) == ("WEBP", (4000, 3000))


def test_all_are_saved_in_a_zip_under_their_names(page: Any, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "cat.jpg").write_bytes((SAMPLES / "rocket.jpg").read_bytes())
    page.give(SAMPLES / "cat.jpg", tmp_path / "again" / "cat.jpg", SAMPLES / "coffee.jpg")
    name, content = page.download("All as zip")
    assert name == "cutouts.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["cat-cutout.png", "cat-cutout (2).png", "coffee-cutout.png"]
        sizes = []
        for entry in archive.namelist():
            with Image.open(io.BytesIO(archive.read(entry))) as picture:
                sizes.append(picture.size)
    expected = []
    for sample in ("cat", "rocket", "coffee"):
        with Image.open(SAMPLES / f"{sample}.jpg") as picture:
            expected.append(picture.size)
    assert sizes == expected


def test_a_cut_out_is_copied_to_the_clipboard(open_page: Any, gateway: str, disc: Path) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.give(disc)
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.read().then((items) => items[0].types)") == ["image/png"]
