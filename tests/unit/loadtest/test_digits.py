from __future__ import annotations

import pytest

from alphacut_loadtest.digits import three


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.0, "0"),
        (0.0123, "0.0123"),
        (9.794, "9.79"),
        (99.96, "100"),
        (999.4, "999"),
        (999.6, "1,000"),
        (1234.5, "1,234"),
    ],
)
def test_three_digits_are_told_and_no_power_of_ten(value: float, told: str) -> None:
    assert three(value) == told
