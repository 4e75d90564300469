"""rembg, the bundled network in both hands, and pictures of every kind to compare on."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from alphacut_core import geometry, steps
from alphacut_core.limits import DEFAULT_LIMITS
from alphacut_core.options import Options
from alphacut_engines.reference import Reference
from alphacut_engines.registry import BUNDLED


@pytest.fixture(scope="session")
def rembg() -> ModuleType:
    """rembg's ``bg`` module, of the version that parity is promised with."""
    package = pytest.importorskip("rembg", reason="rembg 2.0.86 runs on Python 3.11 to 3.13 only")
    assert package.__version__ == "2.0.86"
    from rembg import bg

    return bg


@pytest.fixture(scope="session")
def rembg_session(rembg: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """rembg's own session with the bundled weights; nothing is fetched."""
    home = tmp_path_factory.mktemp("u2net-home")
    weights = home / "u2net_custom.onnx"
    weights.write_bytes(Path(BUNDLED.weights).read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("U2NET_HOME", str(home))
        yield rembg.new_session("u2net_custom", model_path=str(weights))


@pytest.fixture(scope="session")
def network(bundled_graphs: tuple[Any, Any]) -> Reference:
    """The same weights as the graph that every engine is built from, in FP32."""
    return Reference(bundled_graphs[1], "parity")


@pytest.fixture(scope="session")
def mask() -> geometry.Pixels:
    """What an engine might give: a soft-edged disc with two holes, uint8 (320, 320)."""
    rows, columns = np.mgrid[:320, :320]
    soft = (110 - np.hypot(rows - 160, columns - 150)) * 9 + 128
    soft[100:112, 140:160] = 0
    soft[200:203, 100:103] = 60
    return np.clip(soft, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def ours(mask: geometry.Pixels) -> Callable[[bytes, Options], bytes]:
    """What Alphacut makes of a file and ``mask``: ``ours(data, Options(...))``."""
    return lambda data, asked: steps.postprocess(data, asked, mask, DEFAULT_LIMITS)


@pytest.fixture(scope="session")
def theirs(rembg: ModuleType, mask: geometry.Pixels) -> Callable[..., Any]:
    """What rembg makes of an image and the same mask: ``theirs(data, alpha_matting=True)``."""

    class Given:
        def predict(self, image: Image.Image, *args: Any, **options: Any) -> list[Image.Image]:
            return [geometry.to_picture(mask, image.width, image.height)]

    return partial(rembg.remove, session=Given())


def drawn(width: int = 93, height: int = 71) -> Image.Image:
    """A bright ball on a shaded ground, with grain."""
    rows, columns = np.mgrid[:height, :width]
    ground = np.stack([rows * 180 // height, columns * 160 // width, 90 + 0 * rows], -1)
    ground += np.random.default_rng(8).integers(0, 24, ground.shape)
    image = Image.fromarray(ground.astype(np.uint8))
    box = (width // 4, height // 5, width * 3 // 4, height * 4 // 5)
    ImageDraw.Draw(image).ellipse(box, fill=(230, 190, 60), outline=(90, 40, 20))
    return image


def encoded(image: Image.Image, format_name: str, **parameters: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_name, **parameters)
    return buffer.getvalue()


def files() -> dict[str, bytes]:
    """A small file of every format and layout, by name."""
    image = drawn()
    faded = image.copy()
    faded.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, image.width).astype(np.uint8), (image.height, 1))))
    found = {mode: encoded(faded.convert(mode), "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA")}
    found["P with a transparent index"] = encoded(image.quantize(16), "PNG", transparency=3)
    found["P with a table of alphas"] = encoded(image.quantize(16), "PNG", transparency=bytes(range(0, 255, 16)))
    found["CMYK"] = encoded(image.convert("CMYK"), "JPEG")
    for orientation in (1, 3, 6, 7):
        exif = Image.Exif()
        exif[0x0112] = orientation
        found[f"JPEG turned by {orientation}"] = encoded(image, "JPEG", exif=exif)
    for format_name in ("WEBP", "GIF", "BMP", "TIFF", "AVIF"):
        found[format_name] = encoded(image, format_name)
    found["animated"] = encoded(image, "WEBP", save_all=True, append_images=[image.rotate(30)])
    found["LAB"] = encoded(image.convert("LAB"), "TIFF")
    return found


FILES = files()


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest) -> bytes:
    """Every file of ``files`` in turn."""
    return FILES[request.param]


@pytest.fixture(scope="session")
def photograph() -> Callable[..., bytes]:
    """Draw and encode a picture: ``photograph(640, 480, "JPEG", mode="CMYK", exif=...)``."""

    def make(width: int, height: int, format_name: str, mode: str = "RGB", **parameters: Any) -> bytes:
        return encoded(drawn(width, height).convert(mode), format_name, **parameters)

    return make
