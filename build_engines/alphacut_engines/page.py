"""The gate's report as a page for people: one file, the worst pictures side by side."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from alphacut_core import codec
from alphacut_core.agreement import BOUNDS
from alphacut_core.geometry import Pixels
from alphacut_engines.gate import Measurement, Specimen
from alphacut_engines.report import Report, Row

_SIDE_PX = 160
_COLUMNS = ("precision", "verdict", "graph", "median time", "mean |Δ| of 255", "mean IoU", "1st percentile", "PSNR")

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 1rem 0 } th, td { padding: .3rem .8rem; text-align: right }
th { border-bottom: 2px solid #222 } td { border-bottom: 1px solid #ddd } .passed { color: #17692b }
.refused { color: #b3261e; font-weight: bold } figure { display: inline-block; margin: .3rem }
figcaption { font-size: .8rem; color: #555 } img { width: 160px; height: 160px; display: block }
"""


def render(report: Report, measured: Mapping[str, Measurement]) -> str:
    """Return a self-contained HTML page.

    Args:
        report: What was measured, in figures.
        measured: Precision to what was measured, worst pictures included.
    """
    title = f"{html.escape(report.model)} for {html.escape(report.target)}"
    body = f"""
<p>Masks against those of ONNX Runtime in FP32, on {_pictures(report)}; by {html.escape(report.runtime)}
on {html.escape(report.machine)}.</p>
{_table(report.rows)}
{"".join(_worst(row, measured[row.precision].worst) for row in report.rows)}
"""
    return document(f"{title}: gate", body)


def document(title: str, body: str) -> str:
    """Return a page that loads nothing from elsewhere; both arguments are HTML already."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head><body>
<h1>{title}</h1>{body}</body></html>
"""


def _pictures(report: Report) -> str:
    n = report.rows[0].agreement.pictures
    return f"{n} photographs" if report.photographs == "folder" else f"{n} variants of the sample pictures"


def _table(rows: Sequence[Row]) -> str:
    head = "".join(f"<th>{html.escape(column)}</th>" for column in _COLUMNS)
    return f"<table><tr>{head}</tr>{''.join(map(_line, rows))}</table>"


def _line(row: Row) -> str:
    bounds, found = BOUNDS[row.precision], row.agreement
    verdict = "passed" if row.passed else "refused"
    cells = (
        f"{row.size_bytes / 1e6:.1f} MB",
        f"{row.time_ms:.0f} ms",
        f"{found.mean_difference:.2f} ≤ {bounds.mean_difference:g}",
        f"{found.mean_iou:.4f} ≥ {bounds.mean_iou:g}",
        f"{found.iou_p1:.4f}",
        f"{found.psnr_db:.1f} dB",
    )
    figures = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    return f'<tr><td>{row.precision}</td><td class="{verdict}">{verdict}</td>{figures}</tr>'


def _worst(row: Row, specimens: Sequence[Specimen]) -> str:
    shown = "".join(
        f"<p>{html.escape(specimen.name)}, IoU {specimen.iou:.4f}<br>"
        f"{_figure(specimen.square, 'picture')}{_figure(specimen.reference, 'reference')}"
        f"{_figure(specimen.mask, row.precision)}{_figure(_difference(specimen), 'difference x 4')}</p>"
        for specimen in specimens
    )
    return f"<h2>{row.precision}: the worst pictures</h2>{shown}"


def _difference(specimen: Specimen) -> Pixels:
    delta = np.abs(specimen.mask.astype(np.int16) - specimen.reference.astype(np.int16))
    shown: Pixels = np.minimum(4 * delta, 255).astype(np.uint8)
    return shown


def _figure(pixels: Pixels, caption: str) -> str:
    small = Image.fromarray(pixels).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BILINEAR)
    data = base64.b64encode(codec.encode_png(small, level=9)).decode()
    caption = html.escape(caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    )
