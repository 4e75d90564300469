"""What can be asked for, made by the client and by the server's renderer: the same bytes."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from alphacut_client import Client
from alphacut_core import Blur, Checkerboard, Crop, Gradient, Options, Refine
from alphacut_core.errors import InvalidOptionError, MissingLibraryError, NoSubjectError

pytestmark = pytest.mark.triton

WISHES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "shaped": {"threshold": 100, "erode_px": 3, "dilate_px": 2, "feather_px": 1.5},
    "cropped": {"crop": Crop(margin_px=7, margin_percent=3), "background": Blur(9)},
    "gradient": {"background": Gradient((255, 0, 0, 255), (0, 0, 255, 255), 30), "format": "jpeg", "quality": 70},
    "checkerboard": {"background": Checkerboard(9), "format": "webp", "quality": 60},
    "lossless": {"format": "webp", "lossless": True, "color": "rembg"},
    "avif": {"format": "avif", "quality": 40},
    "small": {"png_level": 9, "background": "#12345678"},
}


@pytest.mark.parametrize("wishes", WISHES)
def test_client_and_server_make_the_same_file(server_url: str, samples: dict[str, bytes], wishes: str) -> None:
    with Client(server_url) as here, Client(server_url, render_on="server") as there:
        expected = here.remove(samples["cat"], **WISHES[wishes])
        assert there.remove(samples["cat"], **WISHES[wishes]) == expected
        if wishes == "nothing":
            assert Options().to_wire() == b"{}"


def test_the_servers_refusals_arrive_as_themselves(server_url: str, samples: dict[str, bytes]) -> None:
    blank = Image.new("RGB", (64, 48), "white")
    with Client(server_url, render_on="server", retry_for_s=0) as there:
        with pytest.raises(MissingLibraryError, match="refine on the client"):
            there.remove(samples["cat"], refine=Refine())
        with pytest.raises(InvalidOptionError, match="got a picture as background"):
            there.remove(samples["cat"], background=blank)
        with pytest.raises(NoSubjectError, match=r"confidence [01]\.\d+, min_confidence 1\)"):
            there.remove(samples["cat"], min_confidence=1)


def test_a_photograph_is_surer_of_its_subject_than_a_wall(server_url: str, samples: dict[str, bytes]) -> None:
    with Client(server_url) as client:
        cat, wall = client.predict(samples["cat"]), client.predict(Image.new("RGB", (320, 320), (120, 120, 120)))
    assert cat.confidence > 0.9
    assert wall.confidence < cat.confidence
    assert 0 < cat.coverage < 1
    assert 0 < cat.uncertainty < 0.5
