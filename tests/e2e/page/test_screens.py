"""What the page looks like, against small pictures of how it looked when somebody last looked.

Fonts differ between machines, so screenshots are compared as thumbnails of 160 pixels' width, in which text is no
more than a shade, and the picture on the stage is left to the tests of what it shows. After a change of the design,
ALPHACUT_UPDATE_SCREENS=1 writes the thumbnails anew; look at them before they are committed.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.triton

SCREENS = Path(__file__).parent / "screens"
WIDTH = 160
TIERS = [{"name": "u2netp", "mode": mode, "size": 320, "precision": "int8"} for mode in ("full", "lite")]
MAX_MEAN_DIFFERENCE = 5.0  # of 255
MAX_CHANGED = 0.04  # share of pixels that differ by more than a fifth of the scale
DEVICES: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}


def thumbnail(screenshot: bytes) -> Image.Image:
    with Image.open(io.BytesIO(screenshot)) as whole:
        height = round(whole.height * WIDTH / whole.width)
        return whole.convert("RGB").resize((WIDTH, height), Image.Resampling.BOX)


def differences(a: Image.Image, b: Image.Image) -> tuple[float, float]:
    """Return the mean difference, of 255, and the share of pixels that differ by more than 51."""
    assert a.size == b.size
    far = np.abs(np.asarray(a).astype(float) - np.asarray(b).astype(float)).max(axis=-1)
    return float(far.mean()), float((far > 51).mean())


@pytest.mark.parametrize("state", ["empty", "done"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", DEVICES)
def test_the_page_looks_as_it_did(
    open_page: Callable[..., Any], disc: Path, device: str, scheme: str, state: str
) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce", **DEVICES[device])
    # However many tiers this server has, the page is to look the same here.
    page.route("**/v1/models", lambda route: route.fulfill(json={"models": TIERS}))
    page.reload()
    if state == "done":
        page.give(disc)
        page.slide("threshold", 50)
        for told in ("times-title", "tag-right"):
            page.evaluate("(id) => document.getElementById(id).textContent = 'Times'", told)
    seen = thumbnail(page.screenshot())
    path = SCREENS / f"{device}-{scheme}-{state}.png"
    if os.environ.get("ALPHACUT_UPDATE_SCREENS"):
        SCREENS.mkdir(exist_ok=True)
        seen.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    with Image.open(path) as known:
        mean, changed = differences(seen, known.convert("RGB"))
    assert mean <= MAX_MEAN_DIFFERENCE
    assert changed <= MAX_CHANGED


def test_another_look_would_be_noticed() -> None:
    with Image.open(SCREENS / "desk-light-done.png") as light, Image.open(SCREENS / "desk-light-empty.png") as empty:
        mean, changed = differences(light.convert("RGB"), empty.convert("RGB"))
    assert mean > MAX_MEAN_DIFFERENCE
    assert changed > MAX_CHANGED
