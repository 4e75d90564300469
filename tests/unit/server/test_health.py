"""Probes of a server, without one."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from alphacut_core.errors import UnavailableError
from alphacut_server.health import Health


def test_the_probe_takes_no_way_around_by_a_proxy(deaf_proxy: Any) -> None:
    with closing(Health("127.0.0.1:1")) as health, pytest.raises(UnavailableError):
        health.load("u2netp", timeout_s=1)
    assert not deaf_proxy.was_asked()
