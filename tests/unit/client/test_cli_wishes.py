"""Every option of ``alphacut remove`` changes what it says it changes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from alphacut_client.commands import alphacut

Photo = Callable[..., bytes]
BLUE = (0, 0, 255, 255)


@pytest.fixture
def cut(serve: Callable[..., Any], photo: Photo) -> Callable[..., Image.Image]:
    """Cut out a picture of one colour, 64 x 48, whose left half is subject."""
    url = serve().url

    def run(*arguments: str) -> Image.Image:
        words = ["remove", "-", "-o", "-", "--url", url, "--retry-for", "0", *arguments]
        result = CliRunner().invoke(alphacut, words, input=photo(64, 48))
        assert result.exit_code == 0, result.stderr
        return Image.open(io.BytesIO(result.stdout_bytes))

    return run


@pytest.mark.parametrize(
    ("arguments", "format_name", "mode"),
    [
        ([], "PNG", "RGBA"),
        (["--format", "webp", "--quality", "50"], "WEBP", "RGBA"),
        (["--format", "webp", "--lossless"], "WEBP", "RGBA"),
        (["--format", "avif", "--quality", "50"], "AVIF", "RGBA"),
        (["--format", "jpeg", "--background", "white"], "JPEG", "RGB"),
        (["--mask", "--format", "jpeg"], "JPEG", "L"),
        (["--mask", "--png-level", "9"], "PNG", "L"),
    ],
)
def test_a_file_of_the_format_asked_for_comes_out(
    cut: Callable[..., Image.Image], arguments: list[str], format_name: str, mode: str
) -> None:
    made = cut(*arguments)
    assert (made.format, made.mode, made.size) == (format_name, mode, (64, 48))


@pytest.mark.parametrize(
    ("backdrop", "color"),
    [
        ("#0000ff", BLUE),
        ("blue", BLUE),
        ("blur:3", (200, 100, 50, 255)),
        ("gradient:blue,blue,45", BLUE),
        ("checkerboard:64", (255, 255, 255, 255)),
    ],
)
def test_a_backdrop_shows_behind_the_subject(cut: Callable[..., Image.Image], backdrop: str, color: object) -> None:
    assert cut("--background", backdrop).convert("RGBA").getpixel((60, 20)) == color


def test_a_picture_may_be_the_backdrop(cut: Callable[..., Image.Image], tmp_path: Path) -> None:
    Image.new("RGB", (9, 9), "blue").save(tmp_path / "sky.png")
    assert cut("--background-image", str(tmp_path / "sky.png")).convert("RGBA").getpixel((60, 20)) == BLUE


def test_a_crop_leaves_the_subject_and_its_margin(cut: Callable[..., Image.Image]) -> None:
    bare = cut("--crop", "0").width
    assert 31 <= bare <= 34
    assert cut("--crop", "5px").width == bare + 5
    assert cut("--crop", "50%").width == bare + round(bare / 2)


@pytest.mark.parametrize(
    ("arguments", "alpha"),
    [
        (["--erode", "10"], (0, 0)),
        (["--dilate", "10"], (255, 255)),
        (["--fill-holes", "4000"], (255, 0)),
        (["--min-area", "4000"], (0, 0)),
        (["--feather", "8"], None),
        (["--threshold", "200"], (255, 0)),
    ],
)
def test_the_masks_shape_follows(
    cut: Callable[..., Image.Image], arguments: list[str], alpha: tuple[int, int] | None
) -> None:
    made = cut("--mask", *arguments)
    if alpha is None:
        assert 30 < made.getpixel((31, 20)) < 225
        assert made.getpixel((1, 20)) > 200
    else:
        assert (made.getpixel((25, 20)), made.getpixel((40, 20))) == alpha


def test_the_edge_is_refined_within_a_trimap(cut: Callable[..., Image.Image], tmp_path: Path) -> None:
    pytest.importorskip("pymatting", reason="matting needs the refine extra")
    certain = Image.new("L", (64, 48), 128)
    certain.paste(255, (0, 0, 40, 48))
    certain.paste(0, (50, 0, 64, 48))
    certain.save(tmp_path / "trimap.png")
    made = cut("--mask", "--refine", "--trimap", str(tmp_path / "trimap.png"))
    assert made.getpixel((38, 20)) == 255
    assert made.getpixel((52, 20)) == 0
    assert (
        cut("--mask", "--refine", "--refine-pixels", "1", "--over-budget", "mask").tobytes() == cut("--mask").tobytes()
    )


def test_a_subject_that_the_network_doubts_is_an_error(serve: Callable[..., Any], photo: Photo) -> None:
    words = ["remove", "-", "-o", "-", "--url", serve().url, "--min-confidence", "0.8"]
    result = CliRunner().invoke(alphacut, words, input=photo(64, 48))
    assert result.exit_code == 1
    assert result.stderr.startswith("error: got a picture in which the network finds no subject (confidence 0.750")


def test_the_help_lists_every_option_once_under_its_heading() -> None:
    text = CliRunner().invoke(alphacut, ["remove", "--help"]).stdout
    headings = [line for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Result:", "Shape of the mask:", "Edge:", "Network:", "Server:", "Help:"]
    listed = text.partition("Result:")[2]
    command = alphacut.get_command(None, "remove")  # type: ignore[arg-type]
    assert command is not None
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert len(re.findall(rf"^  {parameter.opts[0]}\b(?!-)", listed, re.MULTILINE)) == 1, parameter.opts
