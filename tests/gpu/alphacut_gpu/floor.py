"""How little time arithmetic alone would take: a multiply-add counts as two."""

from __future__ import annotations

FLOP = {"u2net": 117e9, "u2netp": 39.5e9}
"""Of one picture of 320 pixels through the convolutions of the full and of the small network."""


def share(network: str, images_per_s: float, ceiling_flop_per_s: float) -> float:
    """Return the part of the GPU's arithmetic that an engine uses, 0 to 1."""
    return images_per_s * FLOP[network] / ceiling_flop_per_s


def images_per_s(network: str, ceiling_flop_per_s: float) -> float:
    """Return how many pictures a second there would be if nothing but arithmetic took time."""
    return ceiling_flop_per_s / FLOP[network]
