"""``scale`` and ``position``: how large the subject is in the picture, and where."""

from __future__ import annotations

from dataclasses import dataclass

from alphacut_core.geometry import Box
from alphacut_gateway.removebg import length
from alphacut_gateway.removebg.refusal import RemoveBgError

_MIN_SCALE_PERCENT = 10
_MAX_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the subject goes.

    Attributes:
        scale: Share of the canvas that the subject may fill in either direction, 0.1 to 1; None leaves its size.
        position: Share of the free room left of and above the subject, 0 to 1 each; None leaves its place.
    """

    scale: float | None
    position: tuple[float, float] | None

    def target(self, width: int, height: int, subject: Box) -> Box:
        """Return the box that the subject fills on a canvas of ``width`` x ``height`` pixels."""
        left, top, right, bottom = subject
        columns, rows = right - left, bottom - top
        if self.scale is not None:
            factor = self.scale * min(width / columns, height / rows)
            columns, rows = max(1, round(columns * factor)), max(1, round(rows * factor))
        if self.position is not None:
            left, top = round((width - columns) * self.position[0]), round((height - rows) * self.position[1])
        return left, top, left + columns, top + rows


def parse(scale: str | None, position: str | None) -> Placement:
    """Read both parameters; a scale puts the subject into the centre unless a position is given.

    Raises:
        RemoveBgError: One of them is not as the contract says.
    """
    share = _scale(scale or "original")
    return Placement(share, _position(position or ("original" if share is None else "center")))


def _scale(text: str) -> float | None:
    if text == "original":
        return None
    read = length.parse(text)
    if read is None or not read.percent or not _MIN_SCALE_PERCENT <= read.value <= _MAX_PERCENT:
        raise RemoveBgError("invalid_scale", f"got scale={text[:40]!r}; give original, or 10% to 100%")
    return read.value / 100


def _position(text: str) -> tuple[float, float] | None:
    if text == "original":
        return None
    if text == "center":
        return 0.5, 0.5
    shares = length.parse_all(text)
    fits = shares is not None and len(shares) in (1, 2)
    if shares is None or not fits or any(not each.percent or each.value > _MAX_PERCENT for each in shares):
        raise RemoveBgError(
            "invalid_position", f"got position={text[:40]!r}; give original, center, or one or two of 0% to 100%"
        )
    return shares[0].value / 100, shares[-1].value / 100
