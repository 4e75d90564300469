from __future__ import annotations

import pytest

from alphacut_training import reliability


def test_confidence_that_is_right_as_often_as_it_says_has_no_error() -> None:
    calibrated = [(0.75, 0.9)] * 3 + [(0.75, 0.1)] + [(0.25, 0.9)] + [(0.25, 0.1)] * 3
    assert reliability.measure(calibrated, []).expected_error == pytest.approx(0)


def test_boasting_is_an_error() -> None:
    assert reliability.measure([(1.0, 0.1)] * 10, []).expected_error == pytest.approx(1)


def test_separation_is_the_share_of_pairs_in_the_right_order() -> None:
    assert reliability.measure([(0.9, 1), (0.6, 1)], [0.5, 0.7]).separation == pytest.approx(0.75)
    assert reliability.measure([(0.9, 1)], []).separation is None


def test_the_plot_is_an_svg_with_a_bar_for_each_bin() -> None:
    drawn = reliability.plot(reliability.measure([(0.95, 1), (0.35, 0)], [0.05]))
    assert drawn.startswith("<svg ")
    assert drawn.endswith("</svg>")
    assert drawn.count("<rect ") == 1 + 3
