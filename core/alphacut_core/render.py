"""A picture and its mask become what the caller asked for."""

from __future__ import annotations

from PIL import Image

from alphacut_core import codec, geometry, refine
from alphacut_core.options import Options, Rgba

_REMBG_PNG_LEVEL = 6
_STRAIGHT_PNG_LEVEL = 1
_RGB_MODES = frozenset({"RGB", "RGBA", "P", "PA"})
_PROFILE_SPACE = slice(16, 20)  # of an ICC profile's header


def render(image: Image.Image, mask: geometry.Pixels, options: Options) -> Image.Image:
    """Return the picture that ``options`` describe.

    Args:
        image: Upright, any 8-bit layout, at its full size.
        mask: uint8 (S, S) straight from the engine.
        options: What to make of them.

    Returns:
        Mode L for masks, RGBA for cut-outs, at the size of ``image``. ``info`` holds the colour profile, if one
        describes the result, and nothing else.

    Raises:
        RefinementError: Matting was asked for and the mask has no certain subject or background.
        MissingLibraryError: A refinement was asked for and its library is not installed.
    """
    full = full_mask(mask, image.width, image.height, options)
    if options.output == "mask":
        return full
    cutout = _cutout(image, full, options)
    if options.background is not None:
        cutout = over_color(cutout, options.background)
    profile = None if options.color == "rembg" else output_profile(image, cutout)
    cutout.info = {} if profile is None else {"icc_profile": profile}
    return cutout


def full_mask(mask: geometry.Pixels, width: int, height: int, options: Options) -> Image.Image:
    """Return the mask of a picture of which only the size is known.

    Args:
        mask: uint8 (S, S) straight from the engine.
        width: Columns of the picture, upright.
        height: Rows of the picture, upright.
        options: ``post_process`` counts.

    Returns:
        Mode L, ``width`` x ``height``.
    """
    full = geometry.to_picture(mask, width, height)
    return refine.post_process(full) if options.post_process else full


def encode(picture: Image.Image, options: Options) -> bytes:
    """Encode a rendered picture, with the colour profile in its ``info``, in the format that ``options`` name.

    In ``rembg`` colour mode the bytes are those of rembg's file: Pillow's default compression, no profile.
    """
    profile = None if options.color == "rembg" else picture.info.get("icc_profile")
    if options.format == "webp":
        return codec.encode_webp(picture, icc_profile=profile)
    level = _REMBG_PNG_LEVEL if options.color == "rembg" else _STRAIGHT_PNG_LEVEL
    return codec.encode_png(picture, level=level, icc_profile=profile)


def output_profile(image: Image.Image, picture: Image.Image) -> bytes | None:
    """Return the colour profile of ``image`` if it describes ``picture``, which was made of it, as well.

    So not a mask, nor what had to be converted to RGB (CMYK, grey), nor a profile of another colour space.
    """
    profile = image.info.get("icc_profile")
    if picture.mode != "RGBA" or image.mode not in _RGB_MODES or not isinstance(profile, bytes):
        return None
    return profile if profile[_PROFILE_SPACE] == b"RGB " else None


def straight(image: Image.Image, mask: Image.Image) -> Image.Image:
    """Cut out with the picture's own colours: RGBA, alpha is the mask times the alpha there was."""
    rgba = image.convert("RGBA")
    if image.has_transparency_data:
        # ImageChops.multiply would cut off where this rounds.
        mask = Image.composite(rgba.getchannel("A"), Image.new("L", mask.size), mask)
    rgba.putalpha(mask)
    return rgba


def premultiplied(image: Image.Image, mask: Image.Image) -> Image.Image:
    """Cut out as rembg does by default: RGBA, colours and alpha multiplied by the mask."""
    return Image.composite(image, Image.new("RGBA", image.size, 0), mask)


def over_color(cutout: Image.Image, color: Rgba) -> Image.Image:
    """Put a colour behind a cut-out: RGBA of the same size."""
    return Image.alpha_composite(Image.new("RGBA", cutout.size, color), cutout)


def _cutout(image: Image.Image, mask: Image.Image, options: Options) -> Image.Image:
    if options.matting is not None:
        return refine.closed_form_matting(image, mask, options.matting)
    if options.decontaminate:
        return refine.decontaminate(image, mask)
    return premultiplied(image, mask) if options.color == "rembg" else straight(image, mask)
