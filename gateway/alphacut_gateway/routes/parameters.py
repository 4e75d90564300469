"""What every route that cuts out takes from the query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alphacut_core import backdrops
from alphacut_core.errors import InvalidOptionError
from alphacut_core.options import Color, Crop, Decode, Format, Options, Output, Refine
from alphacut_gateway import tier
from alphacut_gateway.tier import AskedMode, Tier

_HIGHEST_PX = 1_000

_Parameters = TypeVar("_Parameters", bound=BaseModel)


def merged(query: _Parameters, fields: Mapping[str, str]) -> _Parameters:
    """Return what the query says, and before it a form's fields.

    Raises:
        InvalidOptionError: A field does not fit.
    """
    given: dict[str, Any] = query.model_dump(exclude_unset=True) | dict(fields)
    try:
        return type(query).model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidOptionError(f"got {'.'.join(map(str, first['loc']))[:40]}: {first['msg']}") from error


class CutoutParameters(BaseModel):
    """Wishes about one picture, or about each of many; a name that is none of them is refused."""

    model_config = ConfigDict(extra="forbid")

    format: Format = Field("png", description="File format of the answer; `jpeg` needs an opaque `bg`.")
    quality: int | None = Field(None, ge=0, le=100, description="Of `webp`, `avif` and `jpeg`.")
    lossless: bool = Field(False, description="Keep every colour of a `webp`.")
    output: Output = Field("cutout", description="The cut-out, or the mask alone.")
    bg: str | None = Field(
        None,
        description="Behind the cut-out: a colour by name or in hexadecimal, `blur` or `blur:20`, `checkerboard`, "
        "`gradient:red,blue`.",
    )
    color: Color = Field("straight", description="Correct alpha, or rembg's premultiplied colours.")
    decode: Decode = Field("exact", description="Every pixel counts, or the JPEG decoder scales.")
    model: str | None = Field(None, description="See /v1/models.")
    mode: AskedMode | None = Field(None, description="Accuracy against speed; `fast` is `lite`.")
    threshold: int | None = Field(None, ge=1, le=255, description="Make the mask binary.")
    fill_holes_px: int = Field(0, ge=0, le=10**9, description="Largest hole that is filled, in pixels of area.")
    min_area_px: int = Field(0, ge=0, le=10**9, description="Least part that is kept, in pixels of area.")
    erode_px: int = Field(0, ge=0, le=_HIGHEST_PX, description="Shrink the subject.")
    dilate_px: int = Field(0, ge=0, le=_HIGHEST_PX, description="Grow the subject.")
    feather_px: float = Field(0, ge=0, le=_HIGHEST_PX, description="Soften the edge.")
    refine: bool = Field(False, description="Solve for the alpha of the edge.")
    decontaminate: bool = Field(False, description="Take the old background's colour out of the edge.")
    crop: bool = Field(False, description="Cut the answer down to its subject.")
    crop_margin_px: int = Field(0, ge=0, le=65_535, description="Room around it.")
    min_confidence: float = Field(0, ge=0, le=1, description="Least confidence that is no `no-subject` error.")

    def options(self) -> Options:
        """Return these wishes in Alphacut's words.

        Raises:
            InvalidOptionError: One of them does not fit, or not to the others.
        """
        return Options(
            output=self.output,
            color=self.color,
            decode=self.decode,
            format=self.format,
            quality=self.quality,
            lossless=self.lossless,
            background=None if self.bg is None else backdrops.parse(self.bg),
            threshold=self.threshold,
            fill_holes_px=self.fill_holes_px,
            min_area_px=self.min_area_px,
            erode_px=self.erode_px,
            dilate_px=self.dilate_px,
            feather_px=self.feather_px,
            refine=Refine() if self.refine else None,
            decontaminate=self.decontaminate,
            crop=Crop(margin_px=self.crop_margin_px) if self.crop else None,
            min_confidence=self.min_confidence,
        )

    def tier(self) -> Tier:
        """Return the network and the size that are asked for."""
        return tier.parse(self.model, self.mode)
