"""Every combination of wishes becomes a picture of the right size and kind, or a typed error."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from alphacut_core import codec, geometry, render, shape, steps
from alphacut_core.background import Blur, Gradient
from alphacut_core.errors import AlphacutError, InvalidOptionError, NoSubjectError, RefinementError
from alphacut_core.limits import DEFAULT_LIMITS
from alphacut_core.options import Crop, Matting, Options, Refine
from tests.unit.core.wishes import options

MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"]
WHITE = (255, 255, 255, 255)


def ball() -> np.ndarray:
    """An engine's mask: a soft disc in the middle, uint8 (32, 32)."""
    rows, columns = np.mgrid[:32, :32] - 16
    return np.clip((10 - np.hypot(rows, columns)) * 60 + 128, 0, 255).astype(np.uint8)


@given(asked=options, mode=st.sampled_from(MODES))
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_wishes_become_a_file_or_a_typed_error(photo: Image.Image, asked: Options, mode: str) -> None:
    pytest.importorskip("pymatting", reason="refinements need the refine extra")
    image = photo.convert(mode)
    try:
        picture = render.render(image, ball(), asked)
        data = render.encode(picture, asked)
    except (NoSubjectError, RefinementError):
        return
    if asked.crop is None:
        assert picture.size == photo.size
    assert picture.mode == ("L" if asked.output == "mask" else "RGBA")
    with Image.open(io.BytesIO(data)) as written:
        assert (written.format, written.size) == (asked.format.upper(), picture.size)


@given(asked=options)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mask_of_a_size_alone_is_the_mask_of_the_picture(photo: Image.Image, asked: Options) -> None:
    pytest.importorskip("pymatting", reason="refinements need the refine extra")
    if asked.output != "mask" or asked.needs_pixels:
        return
    try:
        expected = render.render(photo, ball(), asked)
    except NoSubjectError:
        with pytest.raises(NoSubjectError):
            render.full_mask(ball(), *photo.size, asked)
        return
    assert render.full_mask(ball(), *photo.size, asked).tobytes() == expected.tobytes()


def test_the_server_renders_what_the_client_renders(corpus: dict[str, bytes]) -> None:
    pytest.importorskip("pymatting", reason="refinements need the refine extra")
    for asked in (
        Options(background=Blur(4), crop=Crop(margin_px=3), erode_px=1, feather_px=1.5),
        Options(background=Gradient((255, 0, 0, 255), (0, 0, 255, 255)), format="jpeg", quality=80),
        Options(output="mask", refine=Refine(band_px=2), threshold=128, dilate_px=2),
    ):
        there = steps.postprocess(corpus["jpeg"], Options.from_wire(asked.to_wire()), ball(), DEFAULT_LIMITS)
        here = render.encode(render.render(codec.decode(corpus["jpeg"]), ball(), asked), asked)
        assert there == here


def test_every_shaping_wish_counts_in_the_order_that_is_written_down(photo: Image.Image) -> None:
    pytest.importorskip("skimage", reason="holes and specks need the refine extra")
    mask = ball()
    mask[14:17, 14:17] = 0  # a hole
    mask[2:5, 2:5] = 255  # and a speck
    wishes = {"threshold": 100, "fill_holes_px": 60, "min_area_px": 60, "erode_px": 1, "dilate_px": 2, "feather_px": 2}
    by_hand = shape.threshold(geometry.to_picture(mask, *photo.size), 100)
    by_hand = shape.drop_specks(shape.fill_holes(by_hand, 60), 60)
    by_hand = Image.fromarray(shape.dilated(shape.eroded(np.asarray(by_hand), 1), 2))
    expected = shape.feathered(by_hand, 2).tobytes()
    assert render.render(photo, mask, Options(output="mask", **wishes)).tobytes() == expected
    for name in wishes:
        others = {other: value for other, value in wishes.items() if other != name}
        assert render.render(photo, mask, Options(output="mask", **others)).tobytes() != expected, name


def test_a_mask_is_cropped_to_its_subject_as_a_cutout_is(photo: Image.Image) -> None:
    whole = render.render(photo, ball(), Options(output="mask"))
    box = Crop(margin_px=2).box(whole)
    mask, cutout = (render.render(photo, ball(), Options(output=kind, crop=Crop(2))) for kind in ("mask", "cutout"))
    assert box != (0, 0, *photo.size)
    assert mask.tobytes() == whole.crop(box).tobytes()
    assert cutout.getchannel("A").tobytes() == mask.tobytes()


def test_decontaminating_takes_the_old_background_out_of_the_edge() -> None:
    pytest.importorskip("pymatting", reason="refinements need the refine extra")
    edge = np.asarray(geometry.to_picture(ball(), 64, 64))
    picture = Image.composite(
        Image.new("RGB", (64, 64), "red"), Image.new("RGB", (64, 64), "blue"), Image.fromarray(edge)
    )
    plain, clean = (
        np.asarray(render.render(picture, ball(), Options(decontaminate=asked)), float) for asked in (False, True)
    )
    soft = (edge > 60) & (edge < 200)
    np.testing.assert_array_equal(plain[..., 3], clean[..., 3])
    assert clean[soft, 2].mean() < plain[soft, 2].mean() / 2


def test_a_background_fills_the_crop_and_not_the_picture(photo: Image.Image) -> None:
    asked = Options(crop=Crop(), background=Gradient((255, 0, 0, 255), (0, 0, 255, 255), 0))
    corner = render.render(photo, ball(), asked).getpixel((0, 0))
    assert corner == (255, 0, 0, 255)


def test_matting_and_feathering_go_together(photo: Image.Image) -> None:
    pytest.importorskip("pymatting", reason="matting needs the refine extra")
    matted = render.render(photo, ball(), Options(matting=Matting(erode_size=2)))
    softer = render.render(photo, ball(), Options(matting=Matting(erode_size=2), feather_px=3))
    assert matted.convert("RGB").tobytes() == softer.convert("RGB").tobytes()
    assert matted.getchannel("A").tobytes() != softer.getchannel("A").tobytes()


@pytest.mark.parametrize("asked", [{"decontaminate": True}, {"matting": Matting(erode_size=2)}], ids=["clean", "mat"])
@pytest.mark.parametrize("feather_px", [0, 2])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_that_there_was_stays_where_the_edges_colours_are_estimated(
    photo_with_alpha: Image.Image, mode: str, feather_px: float, asked: dict[str, object]
) -> None:
    pytest.importorskip("pymatting", reason="refinements need the refine extra")
    image = photo_with_alpha.convert(mode)
    wishes = Options(feather_px=feather_px, **asked)
    opaque = render.render(image.convert("RGB"), ball(), wishes)
    cutout = render.render(image, ball(), wishes)
    own, found = (np.asarray(picture.getchannel("A"), float) for picture in (image, opaque))
    assert cutout.convert("RGB").tobytes() == opaque.convert("RGB").tobytes()
    np.testing.assert_allclose(np.asarray(cutout.getchannel("A")), own * found / 255, atol=1)


def test_a_trimap_of_another_size_is_refused_with_both(photo: Image.Image) -> None:
    asked = Options(refine=Refine(), trimap=Image.new("L", (37, 53), 255))
    with pytest.raises(InvalidOptionError, match="got a trimap of 37x53 for a picture of 53x37 pixels; give one of"):
        render.render(photo, ball(), asked)


def test_a_background_that_shines_through_is_no_jpeg(photo: Image.Image) -> None:
    veil = Image.new("RGBA", (5, 5), (255, 0, 0, 90))
    with pytest.raises(InvalidOptionError, match="without an opaque background"):
        Options(format="jpeg", background=veil)
    translucent = render.render(photo, ball(), Options(background=veil))
    with pytest.raises(InvalidOptionError, match="got a background that shines through, and JPEG knows no"):
        render.encode(translucent, Options(format="jpeg", background=WHITE))


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (Options(format="webp", quality=10), Options(format="webp", quality=95)),
        (Options(format="avif", quality=10), Options(format="avif", quality=95)),
        (Options(format="jpeg", background=WHITE, quality=10), Options(format="jpeg", background=WHITE, quality=95)),
        (Options(png_level=9), Options(png_level=0)),
        (Options(format="webp"), Options(format="webp", lossless=True)),
    ],
)
def test_more_quality_is_a_larger_file(photo: Image.Image, low: Options, high: Options) -> None:
    large = photo.resize((300, 200))
    sizes = [len(render.encode(render.render(large, ball(), asked), asked)) for asked in (low, high)]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize(("format_name", "quality"), [("webp", 90), ("avif", 75), ("jpeg", 92)])
def test_quality_is_what_is_written_down_where_nobody_asks(photo: Image.Image, format_name: str, quality: int) -> None:
    picture = render.render(photo, ball(), Options(background=WHITE))
    plain, asked = (Options(format=format_name, background=WHITE, quality=wish) for wish in (None, quality))
    assert render.encode(picture, plain) == render.encode(picture, asked)


def test_a_lossless_webp_keeps_every_byte_even_under_transparency(photo: Image.Image) -> None:
    asked = Options(format="webp", lossless=True)
    cutout = render.render(photo, ball(), asked)
    with Image.open(io.BytesIO(render.encode(cutout, asked))) as written:
        assert written.tobytes() == cutout.tobytes()


@pytest.mark.parametrize(("format_name", "side"), [("webp", 16_384), ("jpeg", 65_501), ("avif", 65_537)])
def test_a_side_longer_than_the_format_holds_is_refused(format_name: str, side: int) -> None:
    asked = Options(output="mask", format=format_name)  # type: ignore[arg-type]
    with pytest.raises(AlphacutError, match=r"at most .* a side; ask for format='png'"):
        render.encode(Image.new("L", (side, 1)), asked)
