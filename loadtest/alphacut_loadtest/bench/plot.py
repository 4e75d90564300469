"""A result as a picture: throughput of everybody, one panel for each concurrency, as an SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from alphacut_loadtest.bench.contenders import CONTENDERS, SubjectName
from alphacut_loadtest.bench.result import Result
from alphacut_loadtest.bench.summary import Figures, figures

_WIDTH, _MARGIN, _LABELS, _NUMBERS = 760, 16, 150, 60
_ROW, _BAR, _TITLE = 22, 14, 30
_COLOURS: dict[SubjectName, str] = {
    "rembg": "#b0683a",
    "rembg-http": "#d09a6a",
    "alphacut": "#2a6fb0",
    "engine": "#8a8f98",
}
_SUBJECTS = {contender.name: contender.subject for contender in CONTENDERS}


def svg(result: Result) -> str:
    """Draw bars of median images a second, with whiskers from the lowest round to the highest."""
    rows = figures(result.measurements)
    concurrencies = sorted({row.concurrency for row in rows})
    fastest = max(row.images_per_s.high for row in rows)
    parts: list[str] = []
    top = _MARGIN
    for concurrency in concurrencies:
        panel = [row for row in rows if row.concurrency == concurrency]
        callers = "1 caller" if concurrency == 1 else f"{concurrency} callers"
        parts.append(_text(_MARGIN, top + 16, f"{callers}: images/s", weight="bold"))
        parts += _panel(panel, top + _TITLE, fastest)
        top += _TITLE + _ROW * len(panel) + _MARGIN
    caption = f"{result.engine.model} in {result.engine.precision}, {result.machine.cores} cores of "
    parts.append(_text(_MARGIN, top + 12, caption + result.machine.processor))
    height = top + _TITLE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#222">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _panel(rows: Sequence[Figures], top: int, fastest: float) -> list[str]:
    left = _MARGIN + _LABELS
    scale = (_WIDTH - left - _NUMBERS - _MARGIN) / fastest
    parts = []
    for number, row in enumerate(rows):
        y = top + _ROW * number
        middle = y + _BAR / 2
        speed = row.images_per_s
        colour = _COLOURS[_SUBJECTS[row.contender]]
        low, high = left + speed.low * scale, left + speed.high * scale
        parts += [
            _text(left - 8, middle + 4, row.contender, anchor="end"),
            f'<rect x="{left}" y="{y}" width="{speed.median * scale:.1f}" height="{_BAR}" fill="{colour}"/>',
            f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="#222"/>',
            _text(high + 6, middle + 4, f"{speed.median:.1f}"),
        ]
    return parts


def _text(x: float, y: float, content: str, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-weight="{weight}">{escape(content)}</text>'
