"""``alphacut bench`` before anything is started."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from alphacut_core import bundled, installed
from alphacut_core.errors import EngineSourceError, InvalidOptionError
from alphacut_loadtest import origin
from alphacut_loadtest.bench.cli import bench


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "network.onnx"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def repository(tmp_path: Path, weights: Path) -> Path:
    """A repository that serves an engine built from ``weights``."""
    folder = tmp_path / "repository" / "u2netp" / "1"
    folder.mkdir(parents=True)
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    recipe = {"architecture": "u2netp"}
    manifest = {"model": "net", "recipe": recipe, "precision": "fp32", "source_sha256": sha256}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    selection = installed.config_path(tmp_path / "repository", "u2netp")
    selection.parent.mkdir()
    selection.write_text("version_policy { specific {\nversions: 1\n} }")
    return tmp_path / "repository"


def error(*arguments: object) -> BaseException | None:
    return CliRunner().invoke(bench, [str(argument) for argument in arguments]).exception


def test_an_engine_of_other_weights_is_not_compared(tmp_path: Path, repository: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(b"other weights")
    found = error("--quick", "--weights", other, "--repository", repository)
    assert isinstance(found, EngineSourceError)
    assert "was built from a network with SHA-256" in str(found)


def test_a_missing_engine_is_told_with_what_builds_it(tmp_path: Path, weights: Path) -> None:
    found = error("--quick", "--weights", weights, "--repository", tmp_path)
    assert isinstance(found, EngineSourceError)
    assert str(found).endswith("run: alphacut build")


def test_the_repository_of_the_environment_is_the_one_that_is_compared_and_named(
    tmp_path: Path, weights: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(bundled.REPOSITORY_VARIABLE, str(repository))
    assert origin.of_service(None).engine == "net in fp32"
    assert origin.of_service("127.0.0.1:9").engine == ""
    (repository / "u2netp" / "1" / "manifest.json").unlink()
    assert str(repository) in str(error("--quick", "--weights", weights))
    assert str(tmp_path / "given") in str(error("--quick", "--weights", weights, "--repository", tmp_path / "given"))


def test_an_unknown_contender_is_refused_first(weights: Path) -> None:
    assert isinstance(error("--contenders", "withoutbg", "--weights", weights), InvalidOptionError)


@pytest.mark.parametrize("command", ["soak", "start", "u2net"])
def test_each_campaign_tells_what_it_does(command: str) -> None:
    shown = CliRunner().invoke(bench, [command, "--help"])
    assert shown.exit_code == 0
    assert "--output" in shown.output


def test_a_cold_start_of_other_weights_is_not_compared_either(tmp_path: Path, repository: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(b"other weights")
    found = error("start", "--weights", other, "--repository", repository)
    assert isinstance(found, EngineSourceError)
