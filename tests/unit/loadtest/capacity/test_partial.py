"""What is left where no capacity was found."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click.testing
import pytest
from click.testing import CliRunner

from alphacut_core.errors import AlphacutError, InvalidOptionError
from alphacut_loadtest.capacity import cli, compare, results_table
from alphacut_loadtest.capacity.cli import capacity
from alphacut_loadtest.capacity.trial import Trial
from alphacut_loadtest.exit_status import NO_CAPACITY, NO_RESULT
from alphacut_loadtest.measure.run import GeneratorError


@dataclass
class Ending:
    """A target whose open trials end, after some, with an error."""

    server: Any
    error: BaseException
    trials: int
    asked: list[float] = field(default_factory=list)

    def closed(self, callers: int) -> Trial:
        trial: Trial = self.server.closed(callers)
        return trial

    def open(self, rate_per_s: float, seed: int) -> Trial:
        if len(self.asked) == self.trials:
            raise self.error
        self.asked.append(rate_per_s)
        trial: Trial = self.server.open(rate_per_s, seed)
        return trial


def run(target: Any, promise: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> click.testing.Result:
    monkeypatch.setattr(cli, "LocustTarget", lambda *_: target)
    return CliRunner().invoke(
        capacity, ["--url", "127.0.0.1:9", "--slo", promise, "--callers", "1,2,4", "--output", str(folder)]
    )


def left(folder: Path) -> Any:
    assert sorted(path.name for path in folder.iterdir()) == ["capacity-partial.html", "capacity-partial.json"]
    shown = (folder / "capacity-partial.html").read_text()
    assert "NO CAPACITY was found" in shown
    assert "nan" not in re.sub(r"<title>.*?</title>", "", shown)
    content = json.loads((folder / "capacity-partial.json").read_text())
    assert content["partial"] is True
    assert "capacity_per_s" not in content
    return content


def test_a_promise_that_no_rate_keeps_leaves_what_was_tried_and_a_status_of_its_own(
    queue_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(queue_server(1, 10.0), "p95=100ms", tmp_path, monkeypatch)
    assert done.exit_code == NO_CAPACITY, done.output
    assert "NO CAPACITY was found for p95=100ms,errors=0.1%" in done.output
    content = left(tmp_path)
    assert content["no_capacity"]["code"] == "no-capacity"
    assert "is not kept even at" in content["no_capacity"]["why"]
    assert len(content["sweep"]) == 3
    assert [verdict["kept"] for verdict in content["verdicts"]] == [False] * len(content["verdicts"])
    assert (tmp_path / "capacity-partial.html").read_text().count("<svg") == 3


def test_ctrl_c_leaves_what_was_tried_also_of_the_rate_that_was_not_judged_yet(
    queue_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Ending(queue_server(2, 20.0), KeyboardInterrupt(), 3)
    done = run(target, "p95=400ms", tmp_path, monkeypatch)
    assert done.exit_code == 1
    assert "Aborted!" in done.output
    content = left(tmp_path)
    assert content["no_capacity"]["code"] == "interrupted"
    judged = [trial["level"] for verdict in content["verdicts"] for trial in verdict["trials"]]
    undecided = [trial["level"] for trial in content["undecided"]]
    assert undecided
    assert [*judged, *undecided] == target.asked
    assert f"once, is {content['verdicts'][0]['rate_per_s']:.3g} a second" in done.output


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (cli.ClientLimitError("a process that sends used 95 % of a core"), NO_RESULT),
        (GeneratorError("Locust ended with status 3"), 1),
    ],
    ids=["the client", "the generator"],
)
def test_whatever_ends_a_search_leaves_what_was_tried(
    queue_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: AlphacutError, status: int
) -> None:
    done = run(Ending(queue_server(2, 20.0), error, 1), "p95=400ms", tmp_path, monkeypatch)
    assert done.exit_code == status
    assert left(tmp_path)["no_capacity"] == {"code": error.code, "why": str(error)}


def test_what_ends_in_the_first_trial_leaves_nothing(
    queue_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted:
        def closed(self, callers: int) -> Trial:
            raise KeyboardInterrupt

    assert run(Interrupted(), "p95=400ms", tmp_path, monkeypatch).exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_partial_result_cannot_be_compared_and_is_marked_in_the_table(
    queue_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "2026-11-22-here"
    run(queue_server(1, 10.0), "p95=100ms", folder, monkeypatch)
    path = folder / "capacity-partial.json"
    with pytest.raises(InvalidOptionError, match=r"partial result without a capacity \(the SLO p95=100ms"):
        compare.compare(path, path)
    (row,) = results_table.markdown(tmp_path).splitlines()[2:]
    assert "| none |" in row
    assert row.endswith("| NO: partial, no-capacity |")
