"""``alphacut build`` as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import EngineSourceError
from alphacut_engines import cli


def test_the_bundled_network_is_built_once_from_nothing(tmp_path: Path) -> None:
    first = CliRunner().invoke(cli.build, ["--repository", str(tmp_path)], catch_exceptions=False)
    assert first.exit_code == 0
    assert [line.split()[0] for line in first.output.splitlines()] == ["source", "optimise", "fuse", "probe", "install"]
    assert (tmp_path / DEFAULT_PIPELINE.engine / "1" / "model.onnx").is_file()
    second = CliRunner().invoke(cli.build, ["--repository", str(tmp_path)], catch_exceptions=False)
    assert "nothing to do" in second.output


def test_an_unknown_model_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(EngineSourceError, match=r"'u3net'; known are bundled, alphacut-u2netp"):
        CliRunner().invoke(cli.build, ["u3net", "--repository", str(tmp_path)], catch_exceptions=False)


def test_without_a_checkout_the_repository_must_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_CHECKOUT", tmp_path / "site-packages" / "model_repository")
    with pytest.raises(Exception, match="pass --repository DIR"):
        CliRunner().invoke(cli.build, [], catch_exceptions=False)
