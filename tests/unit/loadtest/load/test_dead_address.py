"""An address where nobody answers, with a real generator."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from alphacut_loadtest.load import cli
from alphacut_loadtest.measure.answered import NoAnswerError


def test_no_base_rate_is_measured_where_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_CALIBRATION_S", 1.0)
    done = CliRunner().invoke(cli.load, ["smoke", "--url", "127.0.0.1:9", "--output", str(tmp_path / "out")])
    assert isinstance(done.exception, NoAnswerError), done.output
    assert "callers=8 nothing was answered in 1 s: the server at 127.0.0.1:9" in str(done.exception)
    assert "that is 1x" not in done.output
    assert not (tmp_path / "out").exists()
