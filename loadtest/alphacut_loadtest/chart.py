"""Lines and points as SVG that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from alphacut_loadtest.digits import three

_WIDTH, _HEIGHT = 680, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 46
_TICKS = 6
COLOURS = ("#2a6fb0", "#b0683a", "#3a8f5c", "#8a4fa3", "#8a8f98")


@dataclass(frozen=True, slots=True)
class Series:
    """One line.

    Attributes:
        name: In the legend.
        points: x and y; those that are not finite are left out.
        colour: Of CSS.
        dots: Marks the points instead of joining them.
    """

    name: str
    points: Sequence[tuple[float, float]]
    colour: str
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line across: at ``x`` or at ``y``, the other being None."""

    name: str
    x: float | None = None
    y: float | None = None


def chart(title: str, x_name: str, y_name: str, series: Sequence[Series], rules: Sequence[Rule] = ()) -> str:
    """Draw series over a common pair of axes that start at 0."""
    finite = [(x, y) for one in series for x, y in one.points if math.isfinite(x) and math.isfinite(y)]
    x_most = _round_up(max([x for x, _ in finite] + [rule.x for rule in rules if rule.x is not None], default=1.0))
    y_most = _round_up(max([y for _, y in finite] + [rule.y for rule in rules if rule.y is not None], default=1.0))
    plane = _Plane(x_most, y_most)
    parts = [_text(_LEFT, 18, title, weight="bold"), *plane.axes(x_name, y_name)]
    parts += [part for rule in rules for part in plane.rule(rule)]
    parts += [part for one in series for part in plane.series(one)]
    for number, one in enumerate(one for one in series if one.name):
        left = _LEFT + 10 + 150 * number
        parts.append(f'<rect x="{left}" y="{_HEIGHT - 12}" width="10" height="10" fill="{one.colour}"/>')
        parts.append(_text(left + 14, _HEIGHT - 3, one.name))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="#222">'
        f"<title>{escape(title)}</title>" + "".join(parts) + "</svg>"
    )


@dataclass(frozen=True, slots=True)
class _Plane:
    x_most: float
    y_most: float

    def x(self, value: float) -> float:
        return _LEFT + value / self.x_most * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - value / self.y_most * (_HEIGHT - _TOP - _BOTTOM)

    def axes(self, x_name: str, y_name: str) -> list[str]:
        parts = [_text(_WIDTH - _RIGHT, _HEIGHT - 3, x_name, anchor="end"), _text(_LEFT, 31, y_name, size=11)]
        for tick in range(_TICKS + 1):
            at_x, at_y = self.x_most * tick / _TICKS, self.y_most * tick / _TICKS
            parts += [
                f'<path d="M{self.x(0):.1f} {self.y(at_y):.1f}H{self.x(self.x_most):.1f}" stroke="#ddd"/>',
                _text(_LEFT - 6, self.y(at_y) + 4, three(at_y), anchor="end"),
                _text(self.x(at_x), _HEIGHT - _BOTTOM + 16, three(at_x), anchor="middle"),
            ]
        return parts

    def rule(self, rule: Rule) -> list[str]:
        if rule.x is not None:
            path = f"M{self.x(rule.x):.1f} {self.y(0):.1f}V{self.y(self.y_most):.1f}"
            label = _text(self.x(rule.x) - 4, _TOP + 12, rule.name, anchor="end", size=11)
        else:
            height = self.y(rule.y or 0.0)
            path = f"M{self.x(0):.1f} {height:.1f}H{self.x(self.x_most):.1f}"
            label = _text(_LEFT + 6, height - 4, rule.name, size=11)
        return [f'<path d="{path}" stroke="#c33" stroke-dasharray="5 4" fill="none"/>', label]

    def series(self, series: Series) -> list[str]:
        at = [(self.x(x), self.y(y)) for x, y in series.points if math.isfinite(x) and math.isfinite(y)]
        if series.dots:
            return [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{series.colour}"/>' for x, y in at]
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in at)
        return [f'<path d="M{line}" stroke="{series.colour}" stroke-width="2" fill="none"/>'] if at else []


def _round_up(value: float) -> float:
    """Return the next number that ticks divide well."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(value))
    return next(step * unit for step in (1.2, 1.8, 2.4, 3, 4.2, 6, 9, 12) if step * unit >= value)


def _text(x: float, y: float, content: str, *, anchor: str = "start", weight: str = "normal", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" font-size="{size}">'
        f"{escape(content)}</text>"
    )
