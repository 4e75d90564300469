from __future__ import annotations

import re

import pytest

from alphacut_core.errors import ServerStartError
from alphacut_loadtest.measure import service


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"max_megapixels": "8"}, "MAX_MEGAPIXELS, which sets nothing; known are"),
        ({"max_megapixels_in_flight": "many"}, "MAX_MEGAPIXELS_IN_FLIGHT='many'; give a number"),
    ],
)
def test_what_a_gateway_says_of_a_scenarios_settings_is_told(settings: dict[str, str], told: str) -> None:
    with pytest.raises(ServerStartError, match=re.escape(told)), service._gateway("127.0.0.1:9", settings):
        pytest.fail("it came up")
