"""``/api/remove``: rembg's parameters and results, with its faults mended."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from alphacut_core import codec

THEIRS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "cut-out": ({}, {}),
    "mask": ({"om": "true"}, {"only_mask": True}),
    "smoothed": ({"ppm": "1"}, {"post_process_mask": True}),
    "background": ({"bgc": "10,200,30,99"}, {"bgcolor": (10, 200, 30, 99)}),
    "decontaminated": ({"dc": "yes"}, {"decontaminate": True}),
    "matting": ({"a": "true", "ae": "3"}, {"alpha_matting": True, "alpha_matting_erode_size": 3}),
    "matting that fails": ({"a": "true", "ae": "200"}, {"alpha_matting": True, "alpha_matting_erode_size": 200}),
}


class Session:
    """A session of rembg with the predictor's mask."""

    def predict(self, image: Image.Image, *_arguments: object, **_keywords: object) -> list[Image.Image]:
        mask = np.zeros((320, 320), np.uint8)
        mask[:, :160] = 255
        return [Image.fromarray(mask).resize(image.size, Image.Resampling.LANCZOS)]


@pytest.fixture(scope="module")
def rembg() -> ModuleType:
    pytest.importorskip("rembg", reason="rembg 2.0.86 runs on Python 3.11 to 3.13 only")
    from rembg import bg

    return bg


@pytest.fixture(scope="module")
def noise() -> bytes:
    """A picture of 90x60 pixels, no two alike."""
    pixels = np.random.default_rng(7).integers(0, 256, (60, 90, 3), np.uint8)
    return codec.encode_png(Image.fromarray(pixels))


@pytest.mark.parametrize("place", ["form", "query"])
@pytest.mark.parametrize("asked", THEIRS)
def test_results_are_rembgs_to_the_last_byte(
    post: Any, rembg: ModuleType, noise: bytes, *, asked: str, place: str
) -> None:
    wishes, theirs = THEIRS[asked]
    given = {"data": wishes} if place == "form" else {"params": wishes}
    response = post("/api/remove", files={"file": noise}, **given)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    assert response.content == rembg.remove(noise, session=Session(), **theirs)
    assert ("x-refinement" in response.headers) == (asked == "matting that fails")


@pytest.mark.parametrize(
    "wishes",
    [
        {"bgc": "white"},
        {"bgc": "1,2,3"},
        {"af": "256"},
        {"ae": "-1"},
        {"a": "perhaps"},
        {"vm": "true"},
        {"extras": "{"},
        {"extras": '{"model_path": "/etc/passwd"}'},
        {"extras": "[" * 100_000},
    ],
)
def test_what_makes_rembg_fail_is_refused_as_the_callers_fault(post: Any, photo: bytes, wishes: dict[str, str]) -> None:
    response = post("/api/remove", files={"file": photo}, data=wishes)
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "option-invalid"


def test_a_model_that_is_not_served_is_refused_rather_than_fetched(post: Any, photo: bytes) -> None:
    response = post("/api/remove", files={"file": photo}, data={"model": "u2netp../../x"})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "model-unknown")


def test_a_picture_that_cannot_be_decoded_is_the_callers_fault(post: Any) -> None:
    assert post("/api/remove", files={"file": b"\xff\xd8\xff broken"}).status_code == 400


@pytest.mark.parametrize("url", ["http://example.com/a.png", "http://127.0.0.1/", "file:///etc/passwd", ""])
def test_addresses_are_not_fetched(play: Any, url: str) -> None:
    async def scenario(client: httpx.AsyncClient) -> httpx.Response:
        return await client.get("/api/remove", params={"url": url})

    response = play(scenario)
    assert response.status_code == 403
    assert "switched off" in response.json()["error"]["message"]
