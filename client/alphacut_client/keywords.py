"""The options of a call as keyword arguments; ``alphacut_core.options.Options`` says what each means."""

from __future__ import annotations

from typing import TypedDict

from alphacut_core.options import Color, Decode, Format, Matting, Rgba


class MaskKeywords(TypedDict, total=False):
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
