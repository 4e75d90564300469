"""The plot is a picture that needs nothing else."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from alphacut_loadtest.bench.plot import svg
from alphacut_loadtest.bench.result import Result

NAMESPACE = "{http://www.w3.org/2000/svg}"


def test_bars_are_as_long_as_throughput_is_high(result: Result) -> None:
    drawing = ET.fromstring(svg(result))  # noqa: S314  our own
    canvas, *bars = (float(bar.get("width", "0")) for bar in drawing.iter(f"{NAMESPACE}rect"))
    rembg, http, alphacut = bars[:3]
    assert rembg / http == 2.0
    assert round(alphacut / rembg, 1) == 6.0
    assert len(bars) == 6
    assert max(bars) < canvas


def test_everything_is_inside_and_named(result: Result) -> None:
    drawing = ET.fromstring(svg(result))  # noqa: S314
    texts = [text.text for text in drawing.iter(f"{NAMESPACE}text")]
    assert texts.count("mask-encoded") == 2
    assert "1 caller: images/s" in texts
    assert all(
        float(text.get("y", "0")) < float(drawing.get("height", "0")) for text in drawing.iter(f"{NAMESPACE}text")
    )
    assert "href" not in svg(result)
