"""An address where nobody answers, or nobody any more, with a real generator."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from alphacut_loadtest.load import cli
from alphacut_loadtest.measure.answered import NoAnswerError
from alphacut_loadtest.measure.service import Service, ServiceEndedError


def test_no_base_rate_is_measured_where_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_CALIBRATION_S", 1.0)
    done = CliRunner().invoke(cli.load, ["smoke", "--url", "127.0.0.1:9", "--output", str(tmp_path / "out")])
    assert isinstance(done.exception, NoAnswerError), done.output
    assert "callers=8 nothing was answered in 1 s: the server at 127.0.0.1:9" in str(done.exception)
    assert "that is 1x" not in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("options", "is_judged"), [([], False), (["--rate", "20"], True)], ids=["before 1x", "after"])
def test_a_server_of_ones_own_that_ended_is_told_as_such_with_its_last_words(
    options: list[str], is_judged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def ended(*_: object) -> Iterator[Service]:
        with subprocess.Popen([sys.executable, "-c", ""]) as process:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            yield Service("grpc://127.0.0.1:9", None, {process.pid: lambda: "no room"})

    monkeypatch.setattr(cli, "_CALIBRATION_S", 1.0)
    monkeypatch.setattr(cli, "serving", ended)
    done = CliRunner().invoke(cli.load, ["smoke", "--speed", "3", *options, "--output", str(tmp_path / "out")])
    assert isinstance(done.exception, ServiceEndedError), done.output
    assert str(done.exception).endswith("last words:\nno room")
    assert (tmp_path / "out" / "load-smoke.json").exists() is is_judged
