"""Whether there is a subject, how large it is, and how decided the mask."""

from __future__ import annotations

import numpy as np
import pytest

from alphacut_core import subject
from alphacut_core.errors import NoSubjectError


def test_coverage_is_the_share_of_pixels_that_are_rather_subject() -> None:
    mask = np.array([[0, 127, 128, 255]], np.uint8)
    assert subject.coverage(mask) == 0.5


@pytest.mark.parametrize(("level", "expected"), [(0, 0.0), (255, 0.0), (127, 0.996), (128, 0.996), (64, 0.502)])
def test_uncertainty_grows_towards_the_middle(level: int, expected: float) -> None:
    assert subject.uncertainty(np.full((3, 5), level, np.uint8)) == pytest.approx(expected, abs=1e-3)


def test_only_a_confidence_below_the_least_is_no_subject() -> None:
    subject.check(0.0, 0.0)
    subject.check(0.5, 0.5)
    with pytest.raises(NoSubjectError, match=r"confidence 0\.499, min_confidence 0\.5\); send another picture, or"):
        subject.check(0.499, 0.5)
