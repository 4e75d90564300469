"""The brush: mends the mask at full resolution, with mouse and keys, and takes strokes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.triton


@pytest.fixture
def page(page: Any, disc: Path, tmp_path: Path) -> Any:
    """The page with the brush on; the picture is larger than the preview."""
    with Image.open(disc) as picture:
        picture.resize((2400, 1600)).save(tmp_path / "disc.png")
    page.give(tmp_path / "disc.png")
    page.get_by_role("button", name="Brush").click()
    page.wait_for_mode("brush")
    page.slide("brush-soft", 0)
    return page


def at(page: Any, x: float, y: float) -> tuple[float, float]:
    """Return where on the screen a point of the picture lies, given as shares of its sides."""
    box = page.locator(".after .sheet").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def stroke(page: Any, *points: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*at(page, *point), steps=4)
    page.mouse.up()


def alpha_at(page: Any, x: float, y: float) -> int:
    alpha = page.download_picture().getchannel("A")
    return alpha.getpixel((int(x * alpha.width), int(y * alpha.height)))


def test_restoring_and_erasing_reach_the_saved_file_at_full_size(page: Any) -> None:
    page.choose("Restore")
    page.slide("brush-size", 60)
    stroke(page, (0.1, 0.1), (0.3, 0.1))
    radius = 30 / page.locator(".after .sheet").bounding_box()["width"] * 2400
    alpha = np.asarray(page.download_picture().getchannel("A"))
    assert alpha.shape == (1600, 2400)
    assert alpha[160, 480] == 255
    column = alpha[:, 480]
    bright = np.flatnonzero(column[:500] == 255)
    assert bright.max() - 160 == pytest.approx(radius, abs=6)  # sharp at full size, not the preview's scaled up
    page.choose("Erase")
    stroke(page, (0.2, 0.1))
    assert alpha_at(page, 0.2, 0.1) == 0
    assert alpha_at(page, 0.1, 0.1) == 255


def test_strokes_are_taken_back_and_made_again(page: Any) -> None:
    page.choose("Restore")
    stroke(page, (0.1, 0.1))
    page.wait_for_pixel(0.1, 0.1, "a === 255")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_pixel(0.1, 0.1, "a === 0")
    assert page.get_by_role("button", name="Undo").is_disabled()
    page.keyboard.press("Control+Shift+Z")
    page.wait_for_pixel(0.1, 0.1, "a === 255")
    page.keyboard.press("Control+Z")
    page.wait_for_pixel(0.1, 0.1, "a === 0")
    stroke(page, (0.9, 0.1))
    assert page.get_by_role("button", name="Redo").is_disabled()  # a new stroke ends what could be made again
    assert alpha_at(page, 0.1, 0.1) == 0


def test_keys_move_the_brush_put_it_down_and_change_its_size(page: Any) -> None:
    page.choose("Restore")
    page.locator("#stage").focus()
    for _ in range(12):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    page.get_by_text("Brush down").wait_for()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.get_by_text("Brush up").wait_for()
    ring = page.locator("#ring").bounding_box()
    sheet = page.locator(".after .sheet").bounding_box()
    x = (ring["x"] + ring["width"] / 2 - sheet["x"]) / sheet["width"]
    y = (ring["y"] + ring["height"] / 2 - sheet["y"]) / sheet["height"]
    assert alpha_at(page, x, y) == 255
    size = int(page.locator("#brush-size").input_value())
    page.locator("#stage").focus()
    page.keyboard.press("]")
    assert int(page.locator("#brush-size").input_value()) == size + 6
    assert len(page.posts) == 1


def preview_and_file(page: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return alpha as it is seen and as it is saved, at the preview's size."""
    file = page.download_picture().getchannel("A")
    shown = page.pixels()[..., 3]  # by now, whatever was drawn is painted
    saved = file.resize(shown.shape[::-1], Image.Resampling.BOX)
    return shown.astype(int), np.asarray(saved).astype(int)


def test_a_stroke_that_is_taken_back_while_it_is_drawn_is_not_there(page: Any) -> None:
    page.choose("Restore")
    stroke(page, (0.1, 0.1))
    page.mouse.move(*at(page, 0.1, 0.9))
    page.mouse.down()
    page.mouse.move(*at(page, 0.3, 0.9), steps=4)
    page.keyboard.press("Control+Z")
    page.mouse.move(*at(page, 0.4, 0.9))
    page.mouse.up()
    page.wait_for_pixel(0.2, 0.9, "a === 0")
    shown, saved = preview_and_file(page)
    assert np.mean(np.abs(shown - saved) > 64) < 0.001
    assert saved[saved.shape[0] // 10, saved.shape[1] // 10] == 255  # the one before is left alone


def test_a_stroke_that_was_never_lifted_ends_where_one_goes_on_to_something_else(page: Any) -> None:
    page.choose("Restore")
    page.locator("#stage").focus()
    for _ in range(12):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    shown, saved = preview_and_file(page)
    assert np.mean(np.abs(shown - saved) > 64) < 0.001
    assert page.get_by_role("button", name="Undo").is_enabled()


def test_a_stroke_stays_with_its_picture(page: Any, tmp_path: Path) -> None:
    page.locator("#stage").focus()
    page.keyboard.press("Space")
    page.get_by_text("Brush down").wait_for()
    # Dropped or pasted, a picture takes the place of the one before while the focus stays where it is.
    page.set_input_files("#more", tmp_path / "disc.png")
    page.get_by_text("2 of 2 cut out").wait_for()
    page.wait_for_mode("split")
    page.get_by_role("button", name="Brush").click()
    page.wait_for_mode("brush")
    assert page.get_by_role("button", name="Undo").is_disabled()
    page.locator(".show").first.click()
    page.wait_for_mode("split")
    assert page.get_by_role("button", name="Undo").is_enabled()


def test_a_soft_brush_falls_off_towards_its_rim(page: Any) -> None:
    page.choose("Restore")
    page.slide("brush-soft", 100)
    page.slide("brush-size", 100)
    stroke(page, (0.15, 0.2))
    alpha = np.asarray(page.download_picture().getchannel("A")).astype(int)
    row = alpha[320, 360:]
    radius = int(50 / page.locator(".after .sheet").bounding_box()["width"] * 2400)
    assert row[0] > 250
    assert 100 < row[radius // 2] < 155
    assert (np.diff(row[:radius]) <= 0).all()


def test_the_edge_controls_leave_mended_places_alone(page: Any) -> None:
    page.choose("Restore")
    stroke(page, (0.1, 0.1))
    page.slide("shift", -15)
    page.slide("threshold", 90)
    assert alpha_at(page, 0.1, 0.1) == 255
