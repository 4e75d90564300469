from __future__ import annotations

import pytest

from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest.traffic import slo


def test_a_promise_reads_as_it_is_written() -> None:
    text = "p50=100ms,p99.9=2s,errors=0.1%,refusals=75%,refused_p95=500ms,recovery=10s"
    promise = slo.parse(text)
    assert str(promise) == text
    assert promise.strictest == (99.9, 2.0)
    assert promise.errors == pytest.approx(0.001)


@pytest.mark.parametrize(("text", "seconds"), [("250us", 250e-6), ("300ms", 0.3), ("1.5 s", 1.5), ("2min", 120.0)])
def test_every_unit_is_read_as_seconds(text: str, seconds: float) -> None:
    assert slo.parse(f"p95={text}").strictest == (95.0, pytest.approx(seconds))


def test_a_share_goes_up_to_a_hundred_percent() -> None:
    assert slo.parse("p95=1s,errors=100%").errors == 1.0


@pytest.mark.parametrize("text", ["p95=1s,errors=0.00001%", "p95=0.05us", "p95=20000min,errors=0%"])
def test_what_is_very_small_or_large_survives_the_way_to_another_process(text: str) -> None:
    written = str(slo.parse(text))
    assert str(slo.parse(written)) == written


def test_errors_are_bounded_even_if_nothing_is_said_of_them() -> None:
    assert slo.parse("p95=1s") == slo.parse("p95=1s,errors=0.1%")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "bounds no latency"),
        ("errors=1%", "bounds no latency"),
        ("p95=1s,p95.0=2s", "something twice"),
        ("p95=1s,errors=1%,errors=2%", "something twice"),
        ("p95=300", "give a time"),
        ("p95=0ms", "above 0"),
        ("p95=1s,errors=2", "0% to 100%"),
        ("p95=1s,errors=200%", "0% to 100%"),
        ("p95=1s,uptime=99%", "allowed are p50"),
        ("p99.99999999999999999=1s", "allowed are p50"),
    ],
)
def test_a_promise_that_cannot_be_read_says_what_can(text: str, told: str) -> None:
    with pytest.raises(InvalidOptionError, match=told):
        slo.parse(text)
