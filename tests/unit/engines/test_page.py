"""The report's page stands alone and shows the worst pictures."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np

from alphacut_core.geometry import Pixels
from alphacut_engines import gate, page
from alphacut_engines.report import Report, Row


class Shifted:
    """An engine that moves its masks by ``columns``, and the reference with 0."""

    def __init__(self, columns: int) -> None:
        self.columns = columns

    def masks(self, pictures: Pixels) -> tuple[Pixels, np.ndarray]:
        masks = np.where(pictures.mean(3) > 127, 255, 0).astype(np.uint8)
        return np.roll(masks, self.columns, axis=2), np.ones((len(pictures), 1), np.float32)


def pictures() -> list[tuple[str, Pixels]]:
    """Five bars, the narrowest of which suffers most from a shift."""
    squares = np.zeros((5, 32, 32, 3), np.uint8)
    for i in range(5):
        squares[i, :, 4 : 8 + 4 * i] = 255
    return [(f"<bar {i}>", square) for i, square in enumerate(squares)]


def test_the_page_is_whole_and_names_the_worst_pictures_first() -> None:
    wanted = gate.answers(Shifted(0), pictures())
    measured = {
        name: gate.measure(Shifted(columns), pictures(), wanted) for name, columns in (("int8", 1), ("fp32", 0))
    }
    assert [specimen.name for specimen in measured["int8"].worst] == ["<bar 0>", "<bar 1>", "<bar 2>"]
    report = Report(
        model="a & b",
        source_sha256="",
        target="cpu",
        calibration_sha256=None,
        photographs="folder",
        runtime="runtime",
        machine="machine",
        rows=tuple(Row.of(name, 1_000_000, found) for name, found in measured.items()),
    )
    text = page.render(report, measured)
    HTMLParser().feed(text)
    assert "a &amp; b" in text
    assert text.index("&lt;bar 0&gt;") < text.index("&lt;bar 1&gt;")
    assert text.count("<img") == 2 * 3 * 4
    assert not re.findall(r'(?:src|href)="(?!data:)', text), "nothing is loaded from elsewhere"
    assert 'class="refused">refused' in text
    assert 'class="passed">passed' in text
