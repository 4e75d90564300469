"""The page's arithmetic in the browser against the same in NumPy, zlib and Pillow."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.triton

SEED = np.random.default_rng(7)


def call(empty_page: Any, module: str, body: str, given: Any = None) -> Any:
    """Run ``body`` with the exports of one of the page's modules as ``it``."""
    return empty_page.evaluate(f"async (given) => {{ const it = await import('/assets/{module}.js'); {body} }}", given)


@pytest.mark.parametrize("radius", [1, 3, 4, 11])
@pytest.mark.parametrize("shape", [(17, 31), (40, 23)])
def test_growing_takes_the_largest_value_within_an_octagon(
    empty_page: Any, radius: int, shape: tuple[int, int]
) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="scipy is not installed")
    mask = SEED.integers(0, 256, shape, np.uint8)
    got = call(
        empty_page,
        "lines",
        "const p = Uint8Array.from(given.p); it.grow(p, given.w, given.h, given.r); return [...p]",
        {"p": mask.ravel().tolist(), "w": shape[1], "h": shape[0], "r": radius},
    )
    slanted = int(radius * (1 - 0.5**0.5))
    straight = radius - 2 * slanted
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    octagon = np.maximum(abs(x) - straight, 0) + np.maximum(abs(y) - straight, 0) <= 2 * slanted
    expected = ndimage.maximum_filter(mask, footprint=octagon, mode="constant")
    assert np.array_equal(np.reshape(got, shape), expected)


def test_what_grows_is_close_to_a_disc(empty_page: Any) -> None:
    point = np.zeros((81, 81), np.uint8)
    point[40, 40] = 255
    got = call(
        empty_page,
        "lines",
        "const p = Uint8Array.from(given); it.grow(p, 81, 81, 30); return [...p]",
        point.ravel().tolist(),
    )
    grown = np.reshape(got, (81, 81)) > 0
    y, x = np.mgrid[-40:41, -40:41]
    far = np.hypot(x, y)
    assert grown[far <= 29].all()
    assert not grown[far >= 33.5].any()  # an octagon has its corners outside of the circle


@pytest.mark.parametrize(("shape", "radius"), [((9, 50), 2), ((30, 31), 6), ((4, 5), 9)])
def test_blurring_averages_three_times_each_way(empty_page: Any, shape: tuple[int, int], radius: int) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="scipy is not installed")
    mask = SEED.integers(0, 256, shape, np.uint8)
    got = call(
        empty_page,
        "lines",
        "const p = Uint8Array.from(given.p); it.blur(p, given.w, given.h, given.r); return [...p]",
        {"p": mask.ravel().tolist(), "w": shape[1], "h": shape[0], "r": radius},
    )
    expected = mask.astype(float)
    for _ in range(3):
        expected = ndimage.uniform_filter(expected, 2 * radius + 1, mode="nearest")
    assert np.abs(np.reshape(got, shape) - expected).max() <= 2.5  # rounded to whole numbers six times


def test_the_threshold_is_a_ramp_and_off_at_zero(empty_page: Any) -> None:
    values = list(range(256))
    body = "return [...it.shape(Uint8Array.from(given.p), 256, 1, {threshold: given.t, shift: 0, feather: 0})]"
    assert call(empty_page, "edge", body, {"p": values, "t": 0}) == values
    got = np.array(call(empty_page, "edge", body, {"p": values, "t": 40}))
    expected = np.clip((np.arange(256) - (102 - 16)) * 255 / 32, 0, 255)
    assert np.abs(got - expected).max() <= 1


def test_shifting_out_and_in_moves_the_edge_by_thousandths_of_the_longer_side(empty_page: Any) -> None:
    body = (
        "const p = new Uint8Array(500 * 40); for (let y = 0; y < 40; y++) p.fill(255, y * 500, y * 500 + 200);"
        "return [...it.shape(p, 500, 40, {threshold: 0, shift: given, feather: 0}).slice(0, 500)]"
    )
    for shift, edge in ((0, 200), (10, 205), (-10, 195)):
        assert sum(value == 255 for value in call(empty_page, "edge", body, shift)) == edge


def test_a_stroke_covers_a_capsule_that_falls_off_softly(empty_page: Any) -> None:
    stroke = {"restore": True, "radius": 0.1, "softness": 0.5, "points": [0.25, 0.3, 0.7, 0.4]}
    got = call(
        empty_page,
        "strokes",
        "const alpha = new Uint8Array(100 * 80); const mend = it.Mend.of([given], 100, 80);"
        "mend.apply(alpha, alpha, mend.whole()); return [...alpha]",
        stroke,
    )
    y, x = np.mgrid[:80, :100] + 0.5
    ends = np.array([[25.0, 30.0], [70.0, 40.0]])
    way = ends[1] - ends[0]
    along = np.clip(((x - 25) * way[0] + (y - 30) * way[1]) / (way @ way), 0, 1)
    far = np.hypot(x - 25 - along * way[0], y - 30 - along * way[1])
    rest = np.clip((10 - far) / 5, 0, 1)
    assert np.abs(np.reshape(got, (80, 100)) - 255 * rest**2 * (3 - 2 * rest)).max() <= 1.5


def test_erasing_after_restoring_leaves_what_was_drawn_last(empty_page: Any) -> None:
    strokes = [
        {"restore": True, "radius": 0.3, "softness": 0, "points": [0.5, 0.5]},
        {"restore": False, "radius": 0.1, "softness": 0, "points": [0.5, 0.5]},
    ]
    got = call(
        empty_page,
        "strokes",
        "const alpha = new Uint8Array(2500).fill(100); const mend = it.Mend.of(given, 50, 50);"
        "mend.apply(alpha, alpha, mend.whole()); return [...alpha]",
        strokes,
    )
    alpha = np.reshape(got, (50, 50))
    assert (alpha[25, 25], alpha[25, 37], alpha[0, 0]) == (0, 255, 100)


def test_a_stroke_drawn_bit_by_bit_is_the_stroke_drawn_at_once(empty_page: Any) -> None:
    body = (
        "const once = it.Mend.of([given], 90, 60); const live = new it.Mend(90, 60);"
        "const growing = {...given, points: []};"
        "for (let i = 0; i < given.points.length; i += 2) { const from = growing.points.length / 2;"
        "growing.points.push(given.points[i], given.points[i + 1]); live.draw(growing, from) }"
        "live.finish(growing, live.whole());"
        "return once.add.every((v, i) => v === live.add[i]) && once.add.some(Boolean)"
    )
    points = SEED.uniform(0, 0.6, 24).tolist()
    assert call(empty_page, "strokes", body, {"restore": True, "radius": 0.05, "softness": 0.4, "points": points})


def test_the_zip_is_read_by_python_and_equal_names_are_numbered(empty_page: Any) -> None:
    contents = [b"", b"first", bytes(range(256)) * 99]
    encoded = [base64.b64encode(content).decode() for content in contents]
    got = call(
        empty_page,
        "zip",
        "const names = ['a.png', 'Grüße 猫.png', 'a.png'];"
        "const blob = (text) => new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]);"
        "const files = given.map((text, i) => ({name: names[i], blob: blob(text)}));"
        "const made = await it.zip(files, new Date(2026, 10, 21, 7, 8, 9));"
        "return [...new Uint8Array(await made.arrayBuffer())]",
        encoded,
    )
    with zipfile.ZipFile(io.BytesIO(bytes(got))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.png", "Grüße 猫.png", "a (2).png"]
        assert [archive.read(name) for name in archive.namelist()] == contents
        assert archive.infolist()[0].date_time == (2026, 11, 21, 7, 8, 8)


def test_names_that_windows_or_macos_take_for_one_are_numbered(empty_page: Any) -> None:
    names = ["A.png", "a.png", "\u00e9.png", "e\u0301.png", "b.png"]
    body = (
        "const made = await it.zip(given.map((name) => ({name, blob: new Blob([])})));"
        "return [...new Uint8Array(await made.arrayBuffer())]"
    )
    with zipfile.ZipFile(io.BytesIO(bytes(call(empty_page, "zip", body, names)))) as archive:
        assert archive.namelist() == ["A.png", "a (2).png", "\u00e9.png", "e\u0301 (2).png", "b.png"]


def test_crc32_is_zlibs(empty_page: Any) -> None:
    for content in (b"", b"a", bytes(SEED.integers(0, 256, 1000, np.uint8))):
        got = call(empty_page, "zip", "return it.crc32(Uint8Array.from(given))", list(content))
        assert got == zlib.crc32(content)


@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_a_png_is_read_with_the_colours_under_transparent_pixels(empty_page: Any, level: int) -> None:
    y, x = np.mgrid[:37, :53]
    pixels = np.stack([x * 4, y * 6, x + y, (x * y) % 256], axis=-1).astype(np.uint8)
    pixels[:5] = SEED.integers(0, 256, (5, 53, 4), np.uint8)
    pixels[5:9, :, 3] = 0
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=level)
    got = call(
        empty_page,
        "png",
        "const read = await it.readPng(new Blob([Uint8Array.from(given)]));"
        "return [read.width, read.height, [...read.pixels]]",
        list(buffer.getvalue()),
    )
    assert got[:2] == [53, 37]
    assert np.array_equal(np.reshape(got[2], pixels.shape), pixels)


def test_zooming_keeps_the_point_under_the_pointer(empty_page: Any) -> None:
    body = (
        "const v = new it.View(); v.frame = {width: 800, height: 600}; v.picture = {width: 4000, height: 3000};"
        "v.zoomBy(4, 500, 250); const a = v.toPicture(500, 250); v.zoomBy(1.7, 500, 250);"
        "const b = v.toPicture(500, 250); v.moveBy(1e6, 0); const edge = v.rect.left; v.zoomBy(1e-9);"
        "return [a, b, edge, v.rect, v.scale]"
    )
    a, b, edge, rect, scale = call(empty_page, "view", body)
    assert a == pytest.approx([500 / 800, 250 / 600])
    assert b == pytest.approx(a)
    assert edge == pytest.approx(0)
    assert rect == pytest.approx({"left": 0, "top": 0, "width": 800, "height": 600})
    assert scale == pytest.approx(0.2)


def test_server_timing_is_read(empty_page: Any) -> None:
    got = call(empty_page, "server", "return it.parseTiming(given)", "decode;dur=12.3, render;dur=4")
    assert got == {"decode": 12.3, "render": 4}
