from __future__ import annotations

import os
from pathlib import Path

import pytest

from alphacut_loadtest.generator import records
from alphacut_loadtest.generator.outcome import Outcome
from alphacut_loadtest.generator.records import Recorder
from alphacut_loadtest.traffic.corpus import Ask

ASK = Ask("dahlia", b"", False, False, "full", "mask", "exact", "encoded")


def record(folder: Path, pid: int, monkeypatch: pytest.MonkeyPatch, *intended_s: float) -> None:
    """Write what a process leaves whose requests took a tenth of a second; every other was refused."""
    monkeypatch.setattr(os, "getpid", lambda: pid)
    recorder = Recorder(folder)
    for number, at_s in enumerate(intended_s):
        outcome = Outcome.REFUSED if number % 2 else Outcome.ANSWERED
        recorder.call(number, ASK, (at_s, at_s + 0.01, at_s + 0.1), outcome, "full" if number % 2 else "")
    recorder.close()


def test_all_processes_requests_come_in_the_order_of_intended_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path, 1, monkeypatch, 0.5, 2.0, 1e-05)
    record(tmp_path, 2, monkeypatch)  # which no request fell to
    record(tmp_path, 3, monkeypatch, 1.0)
    samples, processes = records.read(tmp_path)
    assert samples.intended_s.tolist() == [1e-05, 0.5, 1.0, 2.0]
    assert samples.lane.tolist() == [2, 0, 0, 1]
    assert samples.that(Outcome.REFUSED).tolist() == [False, False, False, True]
    assert samples.latency_s == pytest.approx(0.1)
    assert [process.pid for process in processes] == [1, 2, 3]
    assert processes[0].words == {"refused": "full"}


def test_of_nobody_there_are_no_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(records.read(tmp_path)[0]) == 0
    record(tmp_path, 1, monkeypatch)
    assert len(records.read(tmp_path)[0]) == 0
