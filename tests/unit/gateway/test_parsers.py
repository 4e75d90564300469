"""Colours and settings, whatever is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphacut_core import colors
from alphacut_core.errors import InvalidOptionError
from alphacut_gateway import Settings
from alphacut_gateway.colors import parse_decimal

CHANNEL = st.integers(0, 255)


@given(st.tuples(CHANNEL, CHANNEL, CHANNEL, CHANNEL), st.sampled_from(["", "#"]))
def test_eight_digits_are_the_color_they_write(color: tuple[int, int, int, int], sign: str) -> None:
    assert colors.parse(sign + bytes(color).hex()) == color
    assert colors.parse(sign + bytes(color).hex().upper()) == color
    assert colors.parse(sign + bytes(color[:3]).hex()) == (*color[:3], 255)
    assert parse_decimal(",".join(map(str, color))) == color


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("white", (255, 255, 255, 255)),
        ("#f00", (255, 0, 0, 255)),
        ("f008", (255, 0, 0, 136)),
        ("Red", (255, 0, 0, 255)),
    ],
)
def test_names_and_short_forms(text: str, color: tuple[int, ...]) -> None:
    assert colors.parse(text) == color


@given(st.text(max_size=12))
def test_a_text_is_a_color_or_refused(text: str) -> None:
    for parse in (colors.parse, parse_decimal):
        try:
            color = parse(text)
        except InvalidOptionError:
            continue
        assert len(color) == 4
        assert all(0 <= channel <= 255 for channel in color)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,256", "1,2,3,4,5", "-1,2,3,4", "a,b,c,d", "1.5,2,3,4"])
def test_what_is_no_decimal_color_is_refused(text: str) -> None:
    with pytest.raises(InvalidOptionError):
        parse_decimal(text)


def test_settings_come_from_the_environment_and_choices_go_before() -> None:
    variables = {
        "ALPHACUT_GATEWAY_MAX_BYTES": "1000",
        "ALPHACUT_GATEWAY_API_KEY_HASHES": f"{'a' * 64}, {'b' * 64}",
        "ALPHACUT_GATEWAY_TIMEOUT_S": "1.5",
        "ALPHACUT_GATEWAY_TRITON_URL": "elsewhere:1",
        "PATH": "/bin",
    }
    settings = Settings.from_environment(variables, triton_url="here:2")
    assert (settings.max_bytes, settings.timeout_s, settings.triton_url) == (1000, 1.5, "here:2")
    assert settings.api_key_hashes == ("a" * 64, "b" * 64)


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAX_BYTE", "1"), ("MAX_BYTES", "many"), ("MAX_BYTES", "0"), ("API_KEY_HASHES", "plain-key")],
)
def test_a_setting_that_cannot_be_meant_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"got|API key hash"):
        Settings.from_environment({f"ALPHACUT_GATEWAY_{name}": value})
