"""Figures as people read them."""

from __future__ import annotations


def three(value: float) -> str:
    """Write a figure by three digits or, from a thousand on, by all before the point: no power of ten either way."""
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"
