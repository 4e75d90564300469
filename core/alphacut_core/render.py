"""A picture and its mask become what the caller asked for.

The work is done in this order, and what was not asked for is left out:

1. the mask comes to the picture's size;
2. ``post_process``, ``threshold``, ``fill_holes_px``, ``min_area_px``, ``erode_px``, ``dilate_px`` shape it;
3. ``refine`` (with ``trimap``) or ``matting`` finds the edge's alpha;
4. ``feather_px`` softens it;
5. the picture is cut out (``color``), ``decontaminate`` cleans its edge;
6. ``crop`` cuts it down, ``background`` goes behind;
7. ``format`` and its ``quality``, ``lossless`` or ``png_level`` encode it.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from alphacut_core import background, band, codec, geometry, refine, shape
from alphacut_core.colors import Rgba
from alphacut_core.errors import InvalidOptionError
from alphacut_core.geometry import Box
from alphacut_core.options import Options

_REMBG_PNG_LEVEL = 6
_WEBP_QUALITY = 90
_AVIF_QUALITY = 75
_JPEG_QUALITY = 92
_RGB_MODES = frozenset({"RGB", "RGBA", "P", "PA"})
_PROFILE_SPACE = slice(16, 20)  # of an ICC profile's header


def render(image: Image.Image, mask: geometry.Pixels, options: Options) -> Image.Image:
    """Return the picture that ``options`` describe.

    Args:
        image: Upright, any 8-bit layout, at its full size.
        mask: uint8 (S, S) straight from the engine.
        options: What to make of them.

    Returns:
        Mode L for masks, RGBA for cut-outs, at the size of ``image`` or of its crop. ``info`` holds the colour
        profile, if one describes the result, and nothing else.

    Raises:
        NoSubjectError: There is nothing to crop to.
        RefinementError: Matting was asked for and the mask has no certain subject or background, the budget does
            not suffice, or the picture is too large for matting or ``decontaminate``.
        InvalidOptionError: The trimap is not of the picture's size.
        MissingLibraryError: A refinement was asked for and its library is not installed.
    """
    matte = _shaped(mask, image.width, image.height, options)
    if options.refine is not None:
        matte = band.refine(image, matte, options.refine, _fitting_trimap(image, options))
    if options.output == "mask":
        return _cropped(_feathered(matte, options), options)
    cutout = _cutout(image, matte, options)
    box: Box = (0, 0, *image.size)
    if options.crop is not None:
        box = options.crop.box(cutout.getchannel("A"))
        cutout = cutout.crop(box)
    behind = options.behind
    if behind is not None:
        cutout = background.behind(cutout, behind, image, box)
    profile = None if options.color == "rembg" else output_profile(image, cutout)
    cutout.info = {} if profile is None else {"icc_profile": profile}
    return cutout


def full_mask(mask: geometry.Pixels, width: int, height: int, options: Options) -> Image.Image:
    """Return the mask of a picture of which only the size is known.

    Args:
        mask: uint8 (S, S) straight from the engine.
        width: Columns of the picture, upright.
        height: Rows of the picture, upright.
        options: Everything that shapes a mask counts, but for ``refine``, which needs the picture.

    Returns:
        Mode L, ``width`` x ``height``, or its crop.

    Raises:
        NoSubjectError: There is nothing to crop to.
        MissingLibraryError: A refinement was asked for and its library is not installed.
    """
    return _cropped(_feathered(_shaped(mask, width, height, options), options), options)


def encode(picture: Image.Image, options: Options) -> bytes:
    """Encode a rendered picture, with the colour profile in its ``info``, in the format that ``options`` name.

    In ``rembg`` colour mode the bytes of a PNG are those of rembg's file: Pillow's default compression, no profile.

    Raises:
        InvalidOptionError: JPEG was asked for, and the background shines through.
        ImageTooLargeError: The picture has a longer side than the format.
    """
    profile = None if options.color == "rembg" else picture.info.get("icc_profile")
    if options.format == "webp":
        quality = _WEBP_QUALITY if options.quality is None else options.quality
        return codec.encode_webp(picture, quality, profile, lossless=options.lossless)
    if options.format == "avif":
        return codec.encode_avif(picture, _AVIF_QUALITY if options.quality is None else options.quality, profile)
    if options.format == "jpeg":
        if picture.mode == "RGBA" and picture.getchannel("A").getextrema() != (255, 255):
            raise InvalidOptionError(
                "got a background that shines through, and JPEG knows no transparency; give an opaque one, or ask "
                "for png, webp or avif"
            )
        return codec.encode_jpeg(picture, _JPEG_QUALITY if options.quality is None else options.quality, profile)
    level = _REMBG_PNG_LEVEL if options.color == "rembg" else codec.FAST_PNG_LEVEL
    return codec.encode_png(picture, level if options.png_level is None else options.png_level, profile)


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
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        mask = _product(rgba.getchannel("A"), mask)
    else:  # putalpha makes RGB into RGBA in place, a pass over the pixels less than convert
        rgba = image.copy() if image.mode == "RGB" else image.convert("RGBA")
    rgba.putalpha(mask)
    return rgba


def premultiplied(image: Image.Image, mask: Image.Image) -> Image.Image:
    """Cut out as rembg does by default: RGBA, colours and alpha multiplied by the mask."""
    return Image.composite(image, Image.new("RGBA", image.size, 0), mask)


def over_color(cutout: Image.Image, color: Rgba) -> Image.Image:
    """Put a colour behind a cut-out: RGBA of the same size."""
    return Image.alpha_composite(Image.new("RGBA", cutout.size, color), cutout)


def _shaped(mask: geometry.Pixels, width: int, height: int, options: Options) -> Image.Image:
    shaped = geometry.to_picture(mask, width, height)
    if options.post_process:
        shaped = refine.post_process(shaped)
    if options.threshold is not None:
        shaped = shape.threshold(shaped, options.threshold)
    if options.fill_holes_px:
        shaped = shape.fill_holes(shaped, options.fill_holes_px)
    if options.min_area_px:
        shaped = shape.drop_specks(shaped, options.min_area_px)
    if options.erode_px:
        shaped = Image.fromarray(shape.eroded(np.asarray(shaped), options.erode_px))
    if options.dilate_px:
        shaped = Image.fromarray(shape.dilated(np.asarray(shaped), options.dilate_px))
    return shaped


def _feathered(mask: Image.Image, options: Options) -> Image.Image:
    return shape.feathered(mask, options.feather_px) if options.feather_px else mask


def _cropped(mask: Image.Image, options: Options) -> Image.Image:
    return mask if options.crop is None else mask.crop(options.crop.box(mask))


def _fitting_trimap(image: Image.Image, options: Options) -> Image.Image | None:
    trimap = options.trimap
    if not isinstance(trimap, Image.Image):
        return None
    if trimap.size != image.size:
        raise InvalidOptionError(
            f"got a trimap of {trimap.width}x{trimap.height} for a picture of {image.width}x{image.height} pixels; "
            "give one of the size of the picture, upright"
        )
    return trimap


def _product(alpha: Image.Image, mask: Image.Image) -> Image.Image:
    # ImageChops.multiply would cut off where this rounds.
    return Image.composite(alpha, Image.new("L", mask.size), mask)


def _cutout(image: Image.Image, matte: Image.Image, options: Options) -> Image.Image:
    if options.matting is not None:  # rembg's: takes the mask unsoftened, and finds alpha and colours in one
        cutout = refine.closed_form_matting(image, matte, options.matting)
        if options.feather_px:
            cutout.putalpha(_feathered(cutout.getchannel("A"), options))
    elif options.decontaminate:
        cutout = refine.decontaminate(image, _feathered(matte, options))
    else:
        matte = _feathered(matte, options)
        return premultiplied(image, matte) if options.color == "rembg" else straight(image, matte)
    if options.color == "straight" and image.has_transparency_data:  # rembg forgets the alpha that there was
        cutout.putalpha(_product(image.convert("RGBA").getchannel("A"), cutout.getchannel("A")))
    return cutout
