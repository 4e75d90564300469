"""What is subject and what is not, out of masks as annotation tools write them."""

from __future__ import annotations

import numpy as np
from PIL import Image

from alphacut_core.errors import InputError
from alphacut_core.geometry import Pixels

_VOID = (224, 224, 192)
"""The colour of PASCAL VOC for what nobody decided on, a rim around subjects; it counts as background."""
_TINT = 32  # between a pixel's channels; JPEG and scanners tint greys by less
_BRIGHT = 128
_REMEDY = "export it as 8-bit grey, 255 where the subject is and 0 elsewhere"


def to_grey(mask: Image.Image) -> Image.Image:
    """Return 0 for the background to 255 for the subject, L.

    Greys stay as they are, and 0 and 1 are stretched. In a palette with colours, as DAVIS and PASCAL VOC have one,
    black is the background and every other colour a subject. Transparent areas count as black.

    Args:
        mask: As ``codec.decode`` returns it.

    Raises:
        InputError: Nothing says what the subject is: colours without a palette or a background, or dark greys alone.
    """
    flat = _on_black(mask)
    if flat.mode == "RGB" and mask.mode in ("P", "PA") and _is_tinted(np.reshape(mask.getpalette() or [], (-1, 3))):
        return _labelled(np.asarray(flat))
    if flat.mode == "RGB" and _is_tinted(np.asarray(flat)):
        raise InputError(f"its mask has colours, and no palette that says which is the background; {_REMEDY}")
    values = np.asarray(flat.convert("L"))
    brightest = values.max(initial=0)
    if 1 < brightest < _BRIGHT:
        raise InputError(f"the brightest value of its mask is {brightest}, which is no subject's; {_REMEDY}")
    return Image.fromarray(values * np.uint8(255) if brightest == 1 else values)


def _on_black(mask: Image.Image) -> Image.Image:
    """Return 1, L or RGB without transparency."""
    if mask.has_transparency_data:
        rgba = mask.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "black"), rgba).convert("RGB")
    return mask if mask.mode in ("1", "L") else mask.convert("RGB")


def _labelled(colours: Pixels) -> Image.Image:
    background = (colours == 0).all(-1)
    if not background.any():
        raise InputError(f"its mask has a palette of colours and no black, which is the background; {_REMEDY}")
    return Image.fromarray(np.where(background | (colours == _VOID).all(-1), 0, 255).astype(np.uint8))


def _is_tinted(colours: Pixels) -> bool:
    return bool(np.ptp(colours, -1).max(initial=0) >= _TINT)
