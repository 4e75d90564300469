"""What every route that cuts out takes from the query."""

from __future__ import annotations

from pydantic import BaseModel, Field

from alphacut_core.options import Color, Decode, Format, Options, Output
from alphacut_gateway import colors, tier
from alphacut_gateway.tier import AskedMode, Tier


class CutoutParameters(BaseModel):
    """Wishes about one picture, or about each of many."""

    format: Format = Field("png", description="File format of the answer.")
    output: Output = Field("cutout", description="The cut-out, or the mask alone.")
    bg: str | None = Field(None, description="Colour behind the cut-out: a name, or hexadecimal.")
    color: Color = Field("straight", description="Correct alpha, or rembg's premultiplied colours.")
    decode: Decode = Field("exact", description="Every pixel counts, or the JPEG decoder scales.")
    model: str | None = Field(None, description="See /v1/models.")
    mode: AskedMode | None = Field(None, description="Accuracy against speed; `fast` is `lite`.")

    def options(self) -> Options:
        """Return these wishes in Alphacut's words.

        Raises:
            InvalidOptionError: One of them does not fit.
        """
        return Options(
            output=self.output,
            color=self.color,
            decode=self.decode,
            format=self.format,
            background=None if self.bg is None else colors.parse(self.bg),
        )

    def tier(self) -> Tier:
        """Return the network and the size that are asked for."""
        return tier.parse(self.model, self.mode)
