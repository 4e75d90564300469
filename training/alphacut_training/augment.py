"""Variations of a picture and its mask that a photographer might have made."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

_MIN_AREA = 0.5
_MAX_TURN_DEG = 12.0
_MIN_SUBJECT_SHARE = 0.01

Sample = tuple[Image.Image, Image.Image]
"""A picture, RGB, and its mask, L, of the same size."""


def vary(sample: Sample, size: int, draw: np.random.Generator) -> Sample:
    """Mirror, turn, crop, and change colours, sharpness and compression at random.

    Args:
        sample: What to vary.
        size: Side of the square to return, in pixels.
        draw: Where chance comes from.
    """
    picture, mask = sample
    if draw.random() < 0.5:
        picture, mask = (image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for image in (picture, mask))
    if draw.random() < 0.3:
        picture, mask = _turned((picture, mask), draw.uniform(-_MAX_TURN_DEG, _MAX_TURN_DEG))
    picture, mask = _cropped((picture, mask), size, draw)
    for change, probability in _CHANGES:
        if draw.random() < probability:
            picture = change(picture, draw)
    return picture, mask


def composite(sample: Sample, background: Image.Image, draw: np.random.Generator) -> Sample:
    """Put a subject before another background, at another size and place.

    Args:
        sample: Picture and mask of the subject.
        background: RGB, a picture without a subject of its own, of the sample's size.
        draw: Where chance comes from.
    """
    picture, mask = sample
    scale = draw.uniform(0.5, 1.1)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    room = (background.width - size[0], background.height - size[1])
    place = tuple(int(draw.uniform(min(0, free), max(0, free) + 1)) for free in room)
    small = mask.resize(size, Image.Resampling.BILINEAR)
    moved = Image.new("L", background.size)
    moved.paste(small, (place[0], place[1]))
    result = background.copy()
    result.paste(picture.resize(size, Image.Resampling.BILINEAR), (place[0], place[1]), small)
    return result, moved


def _turned(sample: Sample, angle_deg: float) -> Sample:
    picture, mask = sample
    fill = tuple(int(value) for value in np.asarray(picture).reshape(-1, 3).mean(0))
    turned = picture.rotate(angle_deg, Image.Resampling.BILINEAR, fillcolor=fill)
    return turned, mask.rotate(angle_deg, Image.Resampling.BILINEAR)


def _cropped(sample: Sample, size: int, draw: np.random.Generator) -> Sample:
    """Cut a random part out and resize it; a part without the subject is not taken."""
    picture, mask = sample
    side = np.sqrt(draw.uniform(_MIN_AREA, 1.0))
    width, height = picture.width * side, picture.height * side
    left, top = draw.uniform(0, picture.width - width), draw.uniform(0, picture.height - height)
    box = (left, top, left + width, top + height)
    part = mask.resize((size, size), Image.Resampling.BILINEAR, box=box)
    if np.asarray(part).mean() < 255 * _MIN_SUBJECT_SHARE:
        box = (0.0, 0.0, float(picture.width), float(picture.height))
        part = mask.resize((size, size), Image.Resampling.BILINEAR, box=box)
    return picture.resize((size, size), Image.Resampling.BILINEAR, box=box), part


def _recoloured(picture: Image.Image, draw: np.random.Generator) -> Image.Image:
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhance(picture).enhance(float(np.exp(draw.normal(0, 0.25))))
    return picture


def _grey(picture: Image.Image, _draw: np.random.Generator) -> Image.Image:
    return picture.convert("L").convert("RGB")


def _blurred(picture: Image.Image, draw: np.random.Generator) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(draw.uniform(0.3, 1.5)))


def _noisy(picture: Image.Image, draw: np.random.Generator) -> Image.Image:
    values = np.asarray(picture, np.float32)
    noise = draw.normal(0, draw.uniform(2, 10), values.shape)
    return Image.fromarray(np.clip(values + noise, 0, 255).astype(np.uint8))


def _compressed(picture: Image.Image, draw: np.random.Generator) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=int(draw.integers(30, 90)))
    return Image.open(buffer).convert("RGB")


_CHANGES: tuple[tuple[Callable[[Image.Image, np.random.Generator], Image.Image], float], ...] = (
    (_recoloured, 0.7),
    (_grey, 0.05),
    (_blurred, 0.15),
    (_noisy, 0.15),
    (_compressed, 0.15),
)
