"""Options of the load commands that do not fit, before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from alphacut_loadtest.capacity.cli import capacity
from alphacut_loadtest.capacity.measurement import Effort
from alphacut_loadtest.capacity.search import Search
from alphacut_loadtest.load.cli import load
from alphacut_loadtest.traffic import slo


@pytest.mark.parametrize("callers", ["1,2,x", "1,2,", "1,2.5,4", "0,1,2", "1,2,-4", "1,2,1000000", "²,1,2"])
def test_callers_that_cannot_be_counted_are_a_wrong_option(callers: str) -> None:
    done = CliRunner().invoke(capacity, ["--url", "127.0.0.1:9", "--callers", callers])
    assert done.exit_code == 2, done.exception
    assert "as in 1,2,4,8,16" in done.output


def test_too_few_numbers_of_callers_are_a_wrong_option() -> None:
    done = CliRunner().invoke(capacity, ["--url", "127.0.0.1:9", "--callers", "1,2,2"])
    assert done.exit_code == 2, done.exception
    assert "the law has three parameters, give more" in done.output


def test_who_calls_the_search_gets_what_the_command_does() -> None:
    given = {option.name: option.get_default(click.Context(capacity)) for option in capacity.params}
    nobody: Any = None
    search = Search(nobody, slo.parse("p95=1s"))
    assert given["callers"] == ",".join(map(str, Effort().callers))
    assert given["repeats"] == Effort().repeats == search.repeats
    assert given["resolution"] == Effort().resolution == search.resolution


@pytest.mark.parametrize("command", [capacity, load])
def test_an_slo_that_cannot_be_read_is_a_wrong_option(command: click.Command) -> None:
    scenario = ["steady"] if command is load else []
    done = CliRunner().invoke(command, [*scenario, "--url", "127.0.0.1:9", "--slo", "p95=300"])
    assert done.exit_code == 2, done.exception
    assert "as in p95=300ms" in done.output


@pytest.mark.parametrize(
    "url",
    ["", "localhost", "ftp://127.0.0.1:9", "grpc://http://127.0.0.1:9", "http://", "http://127.0.0.1:x", "http://[::1"],
)
@pytest.mark.parametrize("command", [capacity, load])
def test_an_address_to_which_nothing_can_be_sent_is_a_wrong_option(command: click.Command, url: str) -> None:
    scenario = ["steady"] if command is load else []
    done = CliRunner().invoke(command, [*scenario, "--url", url])
    assert done.exit_code == 2, done.exception
    assert "--url" in done.output
    assert "give HOST:PORT of Triton" in done.output


@pytest.mark.parametrize("command", [capacity, load])
def test_a_folder_that_cannot_be_made_is_a_wrong_option(command: click.Command, tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    scenario = ["steady"] if command is load else []
    output = str(tmp_path / "notes" / "of" / "today")
    done = CliRunner().invoke(command, [*scenario, "--url", "127.0.0.1:9", "--output", output])
    assert done.exit_code == 2, done.exception
    assert "--output" in done.output
    assert "notes is no folder" in done.output


@pytest.mark.parametrize("number", ["nan", "inf"])
@pytest.mark.parametrize(
    ("command", "option"),
    [
        *((capacity, option) for option in ("--target-qps", "--price-per-hour", "--headroom", "--trial", "--warm-up")),
        *((load, option) for option in ("--rate", "--speed")),
    ],
)
def test_a_number_without_an_end_is_a_wrong_option(command: click.Command, option: str, number: str) -> None:
    scenario = ["steady"] if command is load else []
    done = CliRunner().invoke(command, [*scenario, "--url", "127.0.0.1:9", option, number])
    assert done.exit_code == 2, done.exception
    assert option in done.output
