"""Two load generators: what both can send, and when they agree."""

from __future__ import annotations

import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alphacut_core.options import Options
from alphacut_loadtest.capacity import perf_analyzer, second_opinion
from alphacut_loadtest.capacity.locust_target import LocustTarget
from alphacut_loadtest.capacity.perf_analyzer import PerfAnalyzerError, Seen
from alphacut_loadtest.capacity.second_opinion import SecondOpinion
from alphacut_loadtest.generator.outcome import OUTCOMES, Outcome
from alphacut_loadtest.generator.records import GeneratorProcess, Samples
from alphacut_loadtest.measure.run import GeneratorError, Run
from alphacut_loadtest.measure.service import Service
from alphacut_loadtest.traffic import slo
from alphacut_loadtest.traffic.corpus import Corpus
from alphacut_loadtest.traffic.mix import Mix, Size
from alphacut_loadtest.traffic.scenario import Scenario

HEAD = (
    "Concurrency,Inferences/Second,Client Send,Network+Server Send/Recv,Server Queue,Server Compute Input,"
    "Server Compute Infer,Server Compute Output,Client Recv,p50 latency,p90 latency,p95 latency,p99 latency"
)
TABLE = "for told; do :; done;"  # its name is the last argument
OURS = Seen(3.0, 0.2, 0.4)
MIX = Mix(
    sizes={Size(32, 24): 3, Size(48, 32): 1},
    modes={"lite": 1, "full": 1},
    decodes={"fast": 1},
    corrupt=0.5,
    repeats=0.3,
)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A perf_analyzer that does what a test writes into it."""
    path = tmp_path / perf_analyzer.PROGRAM
    path.touch()
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    return path


@pytest.mark.parametrize(
    ("theirs", "agrees"),
    [
        (Seen(3.0, 0.2, 0.9), True),
        (Seen(2.3, 0.18, 0.4), True),
        (Seen(3.0, 0.24, 0.4), False),
        (Seen(3.0, 0.16, 0.4), False),
    ],
)
def test_mean_latencies_may_differ_by_fifteen_percent(theirs: Seen, agrees: bool) -> None:
    opinion = SecondOpinion("run", theirs, OURS)
    assert opinion.agrees is agrees
    assert ("does NOT agree" in opinion.in_words()) is not agrees
    assert "in 200 ms in the mean (p95 400 ms)" in opinion.in_words()


def test_what_was_not_run_neither_agrees_nor_disagrees() -> None:
    opinion = SecondOpinion("not run: too far")
    assert opinion.agrees is None
    assert opinion.in_words() == "perf_analyzer: not run: too far."


def test_both_send_whole_files_of_one_tier_which_the_server_renders() -> None:
    assert second_opinion.comparable(Mix(uploads={"pixels": 1})).uploads == {"encoded": 1.0}
    mix = second_opinion.comparable(MIX)
    assert (mix.modes, mix.answers) == ({"lite": 1.0}, {"cutout": 1.0})
    assert (mix.corrupt, mix.repeats) == (0.0, 0.0)
    assert (mix.sizes, mix.decodes) == (MIX.sizes, MIX.decodes)


def test_sizes_come_in_their_shares_and_options_as_ours_have_them() -> None:
    corpus = Corpus(second_opinion.comparable(MIX))
    requests = second_opinion.inputs(corpus)
    large = max(corpus.files, key=lambda file: len(file.data)).data
    assert sum(one["ENCODED"].startswith(large) for one in requests) == pytest.approx(len(requests) / 4, abs=2)
    assert {one["OPTIONS"] for one in requests} == {Options(format="webp", decode="fast").to_wire()}


def run(url: str, callers: int = 1) -> Seen:
    return perf_analyzer.run(url, "ensemble", [{"ENCODED": b"abc"}], callers=callers, requests=30, timeout_s=30.0)


def test_it_is_told_what_to_send_and_its_table_is_read(program: Path) -> None:
    program.write_text(
        f"#!{sys.base_prefix}/bin/python3\nimport json, sys\n"
        "told = dict(zip(sys.argv[1:], sys.argv[2:]))\n"
        "assert (told['-m'], told['-u'], told['--concurrency-range']) == ('ensemble', 'there:1', '2')\n"
        "(row,) = json.load(open(told['--input-data']))['data']\n"
        "assert row == {'ENCODED': {'content': {'b64': 'YWJj'}, 'shape': [3]}}\n"
        "assert told['--request-count'] == '30'\n"
        f"head = {HEAD!r}\n"
        "open(told['-f'], 'w').write(head + '\\n2,2.4,100,40000,3,300,100000,90,7,1,2,300000,4\\n')\n"
    )
    seen = run("grpc://there:1", callers=2)
    assert (seen.achieved_per_s, seen.mean_latency_s, seen.p95_s) == pytest.approx((2.4, 0.1405, 0.3))


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'no such model' >&2; exit 99", "failed: perf_analyzer ended with status 99, no such model"),
        ("exit 0", "failed: perf_analyzer ended with status 0, without a word"),
        (f"{TABLE} : > $told", "wrote a table that cannot be read, in which 'Client Send' is amiss"),
        (f"{TABLE} echo '{HEAD}' > $told", "wrote a table that cannot be read"),
        (f"{TABLE} printf '{HEAD}\\n2,2.4,1\\n' > $told", "wrote a table that cannot be read"),
        (f"{TABLE} printf '{HEAD}\\n2,2.4,n/a\\n' > $told", "wrote a table that cannot be read, .*'n/a'"),
    ],
)
def test_what_it_says_when_it_fails_is_told(program: Path, script: str, words: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    with pytest.raises(PerfAnalyzerError, match=words):
        run("there:1")


def test_one_that_cannot_be_started_is_told(program: Path) -> None:
    program.write_bytes(b"\x7fELF of another machine")
    with pytest.raises(PerfAnalyzerError, match="cannot be started"):
        run("there:1")


@dataclass
class Deaf:
    """Stands where the generator stands, before a server that died: every request found nobody, or it died itself."""

    error: BaseException | None

    def run(self, scenario: Scenario, rate_per_s: float, seed: int) -> Run:
        if self.error is not None:
            raise self.error
        rows = [(0, at_s, at_s, at_s, OUTCOMES.index(Outcome.UNAVAILABLE), 0) for at_s in range(20)]
        process = GeneratorProcess(1, 0.0, scenario.duration_s, 0.1, [], {"unavailable": "nobody there"})
        return Run(scenario, rate_per_s, seed, Samples.of(rows), [process])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (None, "nothing was answered .* nobody there"),
        (GeneratorError("Locust ended"), "Locust ended"),
        (KeyboardInterrupt(), "Ctrl-C ended it"),
    ],
)
def test_what_ends_it_after_the_measurement_costs_the_second_opinion_alone(
    error: BaseException | None, words: str, program: Path, tmp_path: Path
) -> None:
    generator: Any = Deaf(error)
    target = LocustTarget(Service("grpc://there:1", None), generator, MIX, slo.parse("p95=1s"), 0.0, 5.0)
    opinion = second_opinion.ask(target, None, tmp_path, lambda line: None)
    assert re.search(f"not run: .*{words}", opinion.status)
    assert opinion.agrees is None


def test_where_it_is_missing_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PerfAnalyzerError, match="make perf-analyzer installs it"):
        run("there:1")
