"""The options of a call as keyword arguments; ``alphacut_core.options.Options`` says what each means."""

from __future__ import annotations

from typing import TypedDict

from PIL import Image

from alphacut_client._kinds import Channels
from alphacut_client._outcome import Progress
from alphacut_client._route import Priority, Upload
from alphacut_core.geometry import Pixels
from alphacut_core.options import Background, Color, Crop, Decode, Format, Matting, Refine
from alphacut_core.tiers import Mode


class RouteKeywords(TypedDict, total=False):
    """How the image travels; what is not given is the client's own. ``_route.Route`` says what each means."""

    model: str
    mode: Mode
    upload: Upload
    timeout_s: float
    priority: Priority
    channels: Channels


class MaskKeywords(RouteKeywords, total=False):
    """Options of ``Client.mask``."""

    decode: Decode
    format: Format
    quality: int | None
    lossless: bool
    png_level: int | None
    post_process: bool
    threshold: int | None
    fill_holes_px: int
    min_area_px: int
    erode_px: int
    dilate_px: int
    feather_px: float
    refine: Refine | None
    trimap: Image.Image | Pixels | None
    crop: Crop | None
    min_confidence: float


class CutoutKeywords(MaskKeywords, total=False):
    """Options of ``Client.remove`` and ``Client.stream``."""

    color: Color
    background: Background | str | None
    matting: Matting | None
    decontaminate: bool


class MaskBatch(MaskKeywords, total=False):
    """Options of ``Client.mask_batch``."""

    progress: Progress


class CutoutBatch(CutoutKeywords, total=False):
    """Options of ``Client.remove_batch``."""

    progress: Progress
