"""``alphacut build`` as a user types it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from alphacut_core import bundled, installed
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import EngineSourceError
from alphacut_engines import cli, processor, registry
from alphacut_engines.recipe import Download, ModelRecipe
from tests.serving import served


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address that it is served at."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    with served(ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))) as server:
        yield folder, f"http://127.0.0.1:{server.server_port}"


def test_a_network_is_built_once_from_nothing(
    make_network, recipe: ModelRecipe, saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = dataclasses.replace(recipe, engine=registry.BUNDLED.engine, weights=saved(make_network()))
    monkeypatch.setitem(registry.RECIPES, registry.BUNDLED.name, bundled)
    first = CliRunner().invoke(
        cli.build, ["--repository", str(tmp_path), "--precision", "fp32"], catch_exceptions=False
    )
    assert first.exit_code == 0
    *told, summary = first.output.splitlines()
    assert [line.split()[0] for line in told] == [
        "source",
        "optimise",
        "fuse",
        "gate",
        "engine",
        "probe",
        "install",
    ]
    assert installed.find(tmp_path, DEFAULT_PIPELINE.engine) is not None
    assert summary.startswith(f"u2netp full for cpu: fp32, {recipe.size} pixels, version 1, ")
    second = CliRunner().invoke(
        cli.build, ["--repository", str(tmp_path), "--precision", "fp32"], catch_exceptions=False
    )
    assert "nothing to do" in second.output


@pytest.mark.slow  # what `make test` does first in a fresh clone
def test_the_bundled_network_passes_its_gate_on_a_fresh_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "_property", {"flags": "avx512_bf16 avx512_vnni", "model name": "any"}.__getitem__)
    done = CliRunner().invoke(cli.build, ["--repository", str(tmp_path), "--precision", "auto"], catch_exceptions=False)
    built = installed.find(tmp_path, DEFAULT_PIPELINE.engine)
    assert built is not None
    folder = built.folder
    report = json.loads((folder / "gate.json").read_text())
    assert [row["precision"] for row in report["rows"]] == ["int8", "bf16", "fp32"], done.output
    assert report["photographs"] == "samples"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["precision"] == next(row["precision"] for row in report["rows"] if row["passed"])
    assert manifest["compile_options"]["INFERENCE_PRECISION_HINT"]


def test_published_weights_go_from_a_mirror_to_the_repository(
    make_network, recipe: ModelRecipe, mirror: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder, address), repository = mirror, tmp_path / "repository"
    content = make_network().SerializeToString()
    (folder / "small.onnx").write_bytes(content)
    checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
    weights = Download(url="https://192.0.2.1/", file="small.onnx", size_bytes=len(content), checksum=checksum)
    monkeypatch.setitem(registry.RECIPES, "small", dataclasses.replace(recipe, weights=weights))
    done = CliRunner().invoke(
        cli.build, ["small", "--mirror", address, "--repository", str(repository)], catch_exceptions=False
    )
    assert "fetch       100 %" in done.output
    assert (repository / "small" / "1" / "model.onnx").is_file()
    (folder / "small.onnx").unlink()
    again = CliRunner().invoke(cli.build, ["small", "--repository", str(repository)], catch_exceptions=False)
    assert "nothing to do" in again.output, "neither the network nor the mirror is needed any more"


def test_a_page_in_place_of_weights_without_a_checksum_is_not_kept(
    make_network, recipe: ModelRecipe, mirror: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = mirror
    weights = Download(url="https://192.0.2.1/", file="small.onnx", size_bytes=None, checksum=None)
    monkeypatch.setitem(registry.RECIPES, "small", dataclasses.replace(recipe, weights=weights))
    arguments = ["small", "--mirror", address, "--repository", str(tmp_path / "repository")]
    (folder / "small.onnx").write_text("<!doctype html><title>Log in</title>")
    with pytest.raises(EngineSourceError, match=r"the 36 bytes from .*are not small\.onnx: they are no ONNX file"):
        CliRunner().invoke(cli.build, arguments, catch_exceptions=False)
    (folder / "small.onnx").write_bytes(make_network().SerializeToString())
    assert "version 1" in CliRunner().invoke(cli.build, arguments, catch_exceptions=False).output


def test_an_own_network_is_built_like_a_known_one(
    make_network, recipe: ModelRecipe, saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.RECIPES, "small", recipe)
    path = saved(make_network())
    arguments = [str(path), "--like", "small", "--repository", str(tmp_path / "repository"), "--precision", "auto"]
    done = CliRunner().invoke(cli.build, arguments, catch_exceptions=False)
    assert " is not tried: " in done.output
    built = installed.find(tmp_path / "repository", "network")
    assert built is not None, "it has the name of its file and not that of the one that it is like"
    assert (built.manifest["model"], built.manifest["precision"]) == ("network", "fp32")


def test_an_unknown_model_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(EngineSourceError, match=r"'u3net'; known are bundled, alphacut-u2netp"):
        CliRunner().invoke(cli.build, ["u3net", "--repository", str(tmp_path)], catch_exceptions=False)


def test_without_a_checkout_the_repository_must_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "MODEL_REPOSITORY", tmp_path / "site-packages" / "model_repository")
    with pytest.raises(Exception, match="pass --repository DIR"):
        CliRunner().invoke(cli.build, [], catch_exceptions=False)
