"""A whole result, of the queue that exists only in numbers."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest import results
from alphacut_loadtest.bench.machine import Commit, Machine
from alphacut_loadtest.capacity import answer, bottleneck, compare, fleet, report, results_table
from alphacut_loadtest.capacity.cli import capacity
from alphacut_loadtest.capacity.measurement import Effort, measure
from alphacut_loadtest.capacity.result import Result
from alphacut_loadtest.capacity.second_opinion import SecondOpinion
from alphacut_loadtest.capacity.usl import Usl
from alphacut_loadtest.exit_status import MISSED
from alphacut_loadtest.origin import Origin
from alphacut_loadtest.traffic import slo


@pytest.fixture
def result(queue_server: Any) -> Result:
    promise = slo.parse("p95=400ms")
    found = measure(queue_server(2, 20.0), promise, Effort(repeats=1, resolution=0.2), lambda line: None)
    return Result(
        origin=Origin(
            "2026-11-21T04:00:00+00:00",
            Machine("AMD EPYC 9B14", 2, 8 * 2**30, (), "Linux 6", 0.1),
            Commit("0123456789abcdef", changed=False),
            {"locust": "2"},
            "alphacut-u2netp in int8",
        ),
        url="embedded",
        scenario="steady",
        slo=promise,
        trial_s=15.0,
        sweep=found.sweep,
        usl=found.usl,
        verdicts=found.verdicts,
        confirmed=found.confirmed,
        broken=found.broken,
        checks=found.checks,
        bottleneck=bottleneck.find(found.broken.trials[0], 2),
        fleet=fleet.plan(found.confirmed.rate_per_s, 500.0, 1.5),
        second_opinion=SecondOpinion("not run: perf_analyzer is not on PATH"),
    )


@pytest.fixture
def elsewhere(result: Result) -> Result:
    """The same of somebody else's server, whose machine nobody knows here."""
    url = "http://Gateway.example:8080"
    return dataclasses.replace(result, url=url, origin=dataclasses.replace(result.origin, url=url))


@pytest.fixture
def kept(result: Result, tmp_path: Path) -> Path:
    return results.write(results.folder(result.origin, tmp_path), "capacity", json=result.to_json)[0]


def test_the_paragraph_answers_everything(result: Result) -> None:
    told = answer.paragraph(result)
    assert f"serves {result.capacity_per_s:.3g} images a second" in told
    assert "broken at 1.3 times as many" in told
    machines = result.fleet.machines or 0
    assert f"500 images a second take {machines} of these machines: {machines - 1} with 30 % of each" in told
    assert "A million images cost" in told
    assert "BEWARE" not in told


def test_thousands_a_second_are_told_as_people_write_them(result: Result) -> None:
    fast = dataclasses.replace(result, confirmed=dataclasses.replace(result.confirmed, rate_per_s=1512.0))
    fast = dataclasses.replace(fast, fleet=fleet.plan(1512.0, 20_000.0))
    assert "serves 1,512 images a second" in answer.paragraph(fast)
    told = answer.paragraph(fast)
    assert "20,000 images a second take 20 of these machines: 19 with 30 % of each left free, and 1 to spare" in told
    unspared = dataclasses.replace(fast, fleet=fleet.plan(1512.0, 20_000.0, spare=0))
    assert "take 19 of these machines: 19 with 30 % of each left free, and none" in answer.paragraph(unspared)
    assert not re.search(r"e\+\d", answer.paragraph(fast) + report.html(fast))


def test_of_a_server_elsewhere_the_machine_that_sent_says_nothing(elsewhere: Result, tmp_path: Path) -> None:
    told = answer.paragraph(elsewhere)
    assert told.startswith("The service at http://Gateway.example:8080 serves ")
    assert f"take {elsewhere.fleet.machines} of these services" in told
    assert "sent from 2 cores of AMD EPYC 9B14" in report.html(elsewhere)
    folder = results.folder(elsewhere.origin, tmp_path)
    assert folder.name == "2026-11-21-gateway-example-8080"
    results.write(folder, "capacity", json=elsewhere.to_json)
    shown = results_table.markdown(tmp_path)
    assert "| the service at http://Gateway.example:8080 |" in shown
    assert "EPYC" not in shown


def test_a_measurement_that_contradicts_itself_is_not_proven_and_says_so(result: Result) -> None:
    assert result.proven
    wrong = dataclasses.replace(result.checks[0], got=1e9)
    doubtful = dataclasses.replace(result, checks=[wrong])
    assert not doubtful.proven
    assert "BEWARE" in answer.paragraph(doubtful)


def test_what_so_few_requests_show_is_not_proven_and_says_what_would_do(result: Result) -> None:
    assert json.loads(result.to_json())["shortage"] is None
    slow = dataclasses.replace(result, confirmed=dataclasses.replace(result.confirmed, rate_per_s=0.1))
    assert not slow.proven
    assert "600 s hold 60 requests, and p95 takes 200: give --trial 200," in answer.paragraph(slow)
    assert "BEWARE: the trials were too short" in report.html(slow)
    assert json.loads(slow.to_json())["shortage"] == slow.shortage


def test_a_rate_that_was_not_broken_is_not_proven(result: Result) -> None:
    unbroken = dataclasses.replace(result, broken=dataclasses.replace(result.broken, kept=True))
    assert not unbroken.proven
    assert "NOT broken" in answer.paragraph(unbroken)


@pytest.mark.parametrize("sigma", [0.0, 1e-17, 0.04])
def test_of_a_server_that_the_callers_did_not_fill_nothing_is_said_beyond_them(result: Result, sigma: float) -> None:
    unfilled = dataclasses.replace(result, usl=Usl(10.0, sigma, 0.0, 0.0))
    assert "throughput grows up to 16 of them, the most that were tried" in answer.paragraph(unfilled)
    assert "give more --callers" in report.html(unfilled)
    assert "more of them only wait longer" in answer.paragraph(result)


def test_a_page_that_cannot_be_made_costs_no_measurement(result: Result, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        results.write(tmp_path, "capacity", json=result.to_json, html=lambda: str(1 / 0))
    assert json.loads((tmp_path / "capacity.json").read_text())["capacity_per_s"] == result.capacity_per_s


def test_the_page_needs_nothing_from_elsewhere(result: Result) -> None:
    shown = report.html(result)
    assert shown.count("<svg") == 3
    assert "perf_analyzer: not run" in shown
    assert "Where the time goes, at 1.3 times the capacity" in shown, "of the trial that the bottleneck was found in"
    assert not re.search(r"(src|href)=|<script|@import|url\(", shown)
    assert "nan" not in re.sub(r"<title>.*?</title>", "", shown)


def test_json_holds_every_trial(result: Result) -> None:
    content = json.loads(result.to_json())
    assert content["capacity_per_s"] == result.capacity_per_s
    assert content["proven"]
    assert len(content["verdicts"]) == len(result.verdicts)
    assert len(content["sweep"]) == len(result.sweep)
    assert all(check["holds"] for check in content["checks"])


def test_the_folder_is_named_by_day_and_machine_and_nothing_is_overwritten(result: Result, tmp_path: Path) -> None:
    folder = results.folder(result.origin, tmp_path)
    assert folder.name == "2026-11-21-epyc-9b14-2-cores"
    first, second = (results.write(folder, "capacity", json=lambda: "{}")[0].name for _ in range(2))
    assert (first, second) == ("capacity.json", "capacity-2.json")


def test_a_loss_beyond_the_tolerance_ends_in_status_three(kept: Path, tmp_path: Path) -> None:
    content = json.loads(kept.read_text())
    worse = tmp_path / "worse.json"
    worse.write_text(
        json.dumps(content | {"capacity_per_s": 0.85 * content["capacity_per_s"], "scenario": "other", "url": "here"})
    )
    same = CliRunner().invoke(capacity, ["compare", str(kept), str(kept)])
    assert (same.exit_code, "+0.0 %, within bounds" in same.output) == (0, True)
    assert "Not proven" not in same.output
    doubtful = tmp_path / "doubtful.json"
    doubtful.write_text(json.dumps(content | {"proven": False}))
    assert "Not proven: the newer." in CliRunner().invoke(capacity, ["compare", str(kept), str(doubtful)]).output
    lost = CliRunner().invoke(capacity, ["compare", str(kept), str(worse)])
    assert lost.exit_code == MISSED
    assert "-15.0 %, REGRESSED" in lost.output
    assert "Not alike: server (embedded and here), scenario (steady and other)." in lost.output
    assert CliRunner().invoke(capacity, ["compare", str(kept), str(worse), "--tolerance", "0.2"]).exit_code == 0


def test_what_is_no_result_cannot_be_compared(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"schema": 99}')
    with pytest.raises(InvalidOptionError, match="no result of alphacut capacity"):
        compare.read(tmp_path / "a.json")


def test_the_table_has_a_row_for_each_result_and_goes_into_its_place(result: Result, kept: Path) -> None:
    shown = results_table.markdown(kept.parents[1])
    assert f"| {result.capacity_per_s:.2f} |" in shown
    assert "results/2026-11-21-epyc-9b14-2-cores/capacity.json" in shown
    readme = f"before\n{results_table.BEGIN}\nold\n{results_table.END}\nafter\n"
    written = results_table.written(readme, shown)
    assert shown in written
    assert "old" not in written
    assert results_table.written(written, shown) == written


def test_the_readmes_table_is_that_of_the_files() -> None:
    readme = results_table.README.read_text()
    assert results_table.written(readme, results_table.markdown()) == readme
