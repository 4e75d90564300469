"""The options of a call as keyword arguments; ``alphacut_core.options.Options`` says what each means."""

from __future__ import annotations

from typing import TypedDict

from alphacut_client._route import Priority, Upload
from alphacut_core.options import Color, Decode, Format, Matting, Rgba
from alphacut_core.tiers import Mode


class RouteKeywords(TypedDict, total=False):
    """How the image travels; what is not given is the client's own. ``_route.Route`` says what each means."""

    model: str
    mode: Mode
    upload: Upload
    timeout_s: float
    priority: Priority


class MaskKeywords(RouteKeywords, total=False):
    """Options of ``Client.mask`` and ``Client.mask_batch``."""

    decode: Decode
    format: Format
    post_process: bool


class CutoutKeywords(MaskKeywords, total=False):
    """Options of ``Client.remove`` and ``Client.remove_batch``."""

    color: Color
    background: Rgba | None
    matting: Matting | None
    decontaminate: bool
