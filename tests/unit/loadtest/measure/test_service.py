from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from alphacut_core.errors import ServerStartError
from alphacut_loadtest.measure import service


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for its end."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("asked_after", [True, False])
def test_a_server_that_ended_while_it_was_measured_is_told_in_words(
    process: subprocess.Popen[bytes], asked_after: bool
) -> None:
    log = "\n".join(f"line {number}" for number in range(100))
    mine = service.Service("grpc://127.0.0.1:9", None, {process.pid: lambda: log})
    mine.check_running()
    assert mine.cpu_s().keys() == {"triton"}
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | (0 if asked_after else os.WNOWAIT))
    for ask in (mine.cpu_s, mine.check_running):
        with pytest.raises(service.ServiceEndedError, match=f"process {process.pid}, ended in the middle") as caught:
            ask()
        assert str(caught.value).endswith("its last words:\n" + "\n".join(log.splitlines()[-12:]))


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
