"""What Triton's log tells of a start."""

from __future__ import annotations

import pytest

from alphacut_loadtest.bench import start_log

LOG = """\
W1121 10:59:58.248850 18677 pinned_memory_manager.cc:273] "Unable to allocate pinned system memory"
I1121 10:59:59.500000 18677 model_lifecycle.cc:472] "loading: preprocess:1"
I1121 10:59:59.600000 18677 model_lifecycle.cc:472] "loading: u2netp:7"
I1121 10:59:59.900000 18677 model_lifecycle.cc:839] "successfully loaded 'preprocess'"
I1121 11:00:01.250000 18677 model_lifecycle.cc:839] "successfully loaded 'u2netp'"
+---+
| a |
+---+
I1121 11:00:01.500000 18677 grpc_server.cc:2558] "Started GRPCInferenceService at 127.0.0.1:40309"
I1121 11:00:09.000000 18677 model_lifecycle.cc:839] "successfully loaded 'u2netp'"
"""
TEN_59_59 = 1795258799.0


def test_moments_count_from_the_beginning_even_past_the_hour() -> None:
    found = start_log.read(LOG, TEN_59_59)
    assert found.loads_s == pytest.approx(0.5)
    assert found.models_s == {"preprocess": pytest.approx(0.9), "u2netp": pytest.approx(2.25)}
    assert found.listens_s == pytest.approx(2.5)


@pytest.mark.parametrize("quarters", [-40, 1, 23])
def test_the_zone_of_the_log_does_not_matter(quarters: int) -> None:
    assert start_log.read(LOG, TEN_59_59 + 900 * quarters).listens_s == pytest.approx(2.5)


def test_a_log_that_breaks_off_is_no_start() -> None:
    with pytest.raises(ValueError, match="no start that came to its end"):
        start_log.read(LOG.partition("| a |")[0], TEN_59_59)
