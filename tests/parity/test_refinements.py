"""Alpha matting and decontamination equal rembg's, except where a test says why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from alphacut_core import codec, geometry, render
from alphacut_core.errors import RefinementError
from alphacut_core.options import Matting, Options

Ours = Callable[[bytes, Options], bytes]
Theirs = Callable[..., Any]
Drawn = Callable[..., bytes]


@pytest.mark.filterwarnings(
    "ignore:Palette images with Transparency expressed in bytes:UserWarning"  # rembg's own conversion says so
)
def test_decontaminated_files_are_rembgs_to_the_last_byte(ours: Ours, theirs: Theirs, file: bytes) -> None:
    assert ours(file, Options(color="rembg", decontaminate=True)) == theirs(file, decontaminate=True)


@pytest.mark.parametrize("matting", [Matting(), Matting(200, 40, 3), Matting(240, 10, 0)])
@pytest.mark.parametrize(("format_name", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("JPEG", "CMYK")])
def test_matted_files_are_rembgs_to_the_last_byte(
    ours: Ours, theirs: Theirs, photograph: Drawn, format_name: str, mode: str, *, matting: Matting
) -> None:
    data = photograph(150, 120, format_name, mode=mode)
    parameters = {
        "alpha_matting": True,
        "alpha_matting_foreground_threshold": matting.foreground_threshold,
        "alpha_matting_background_threshold": matting.background_threshold,
        "alpha_matting_erode_size": matting.erode_size,
    }
    assert ours(data, Options(color="rembg", matting=matting)) == theirs(data, **parameters)


@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        ({"decontaminate": True}, {"decontaminate": True}),
        ({"post_process_mask": True}, {"post_process": True}),
        ({"bgcolor": (10, 200, 30, 99)}, {"background": (10, 200, 30, 99)}),
    ],
)
def test_matting_goes_with_other_wishes_as_in_rembg(
    ours: Ours, theirs: Theirs, photograph: Drawn, parameters: dict[str, Any], options: dict[str, Any]
) -> None:
    data = photograph(150, 120, "PNG")
    asked = Options(color="rembg", matting=Matting(erode_size=5), **options)
    assert ours(data, asked) == theirs(data, alpha_matting=True, alpha_matting_erode_size=5, **parameters)


def test_photographs_are_matted_as_rembg_does(ours: Ours, theirs: Theirs, samples: dict[str, bytes]) -> None:
    data = samples["cat"]
    assert ours(data, Options(color="rembg", matting=Matting())) == theirs(data, alpha_matting=True)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P"])
def test_greys_and_palettes_are_matted_as_their_colours_where_rembg_mats_their_numbers(
    mask: geometry.Pixels, photograph: Drawn, mode: str
) -> None:
    # rembg hands palette indices and lone grey channels to pymatting, which expects colours, warns, or fails.
    asked = Options(color="rembg", matting=Matting(erode_size=3))
    image = codec.decode(photograph(150, 120, "PNG", mode=mode))
    in_colour = image.convert("RGB")
    assert render.render(image, mask, asked).tobytes() == render.render(in_colour, mask, asked).tobytes()


def test_matting_without_a_certain_subject_raises_where_rembg_falls_back_in_silence(
    ours: Ours, theirs: Theirs, photograph: Drawn
) -> None:
    data = photograph(150, 120, "PNG")
    fallen_back = theirs(data, alpha_matting=True, alpha_matting_foreground_threshold=255)
    assert fallen_back == theirs(data, decontaminate=True)
    with pytest.raises(RefinementError, match="without certain subject"):
        ours(data, Options(color="rembg", matting=Matting(foreground_threshold=255)))
