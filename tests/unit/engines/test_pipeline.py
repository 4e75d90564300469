"""A build installs whole engines, once, and whatever interrupts it leaves the installed one as it was."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from alphacut_core import codec, geometry, probe
from alphacut_core.contract import CONTRACT_VERSION
from alphacut_core.errors import EngineBuildError, EngineSourceError
from alphacut_engines import pipeline
from alphacut_engines.order import Order
from alphacut_engines.reference import Reference


@pytest.fixture
def order(make_order) -> Order:
    return make_order()


def build(order: Order) -> list[str]:
    """Build and return the names of the stages that ran."""
    steps: list[pipeline.Step] = []
    assert pipeline.build(order, steps.append) == bool(steps)
    return [step.stage for step in steps]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_build_installs_engine_manifest_and_probe_beside_the_adapter(order: Order) -> None:
    order.folder.mkdir(parents=True)
    (order.folder / "model.py").write_text("# the adapter")
    assert build(order) == ["source", "optimise", "fuse", "gate", "engine", "probe", "install"]
    assert sorted(content(order.folder)) == ["manifest.json", "model.onnx", "model.py", "probe.png"]
    manifest = json.loads((order.folder / "manifest.json").read_text())
    assert (manifest["model"], manifest["precision"], manifest["size"]) == ("small", "fp32", order.recipe.size)
    assert manifest["contract_version"] == CONTRACT_VERSION


def test_the_stored_probe_is_the_installed_engines_answer(order: Order) -> None:
    build(order)
    fused = Reference.of_file(order.folder / "model.onnx")
    square = geometry.to_square(codec.decode(probe.picture()), order.recipe.size)
    np.testing.assert_array_equal(probe.load_answer(order.folder), fused.masks(square[None])[0][0])


def test_what_only_the_engine_before_had_is_taken_away(order: Order, make_photographs) -> None:
    build(dataclasses.replace(order, gate=make_photographs("gate", 100)))
    assert {"gate.json", "gate.html"} <= set(content(order.folder))
    build(order)
    assert sorted(content(order.folder)) == ["manifest.json", "model.onnx", "probe.png"]


def test_the_same_build_again_does_nothing(order: Order) -> None:
    build(order)
    before = content(order.folder)
    assert build(order) == []
    assert content(order.folder) == before


@pytest.mark.parametrize("change", ["force", "recipe", "source", "damage", "loss"])
def test_a_build_runs_again_when_asked_or_when_something_changed(order: Order, make_network, change: str) -> None:
    build(order)
    if change == "force":
        order = dataclasses.replace(order, force=True)
    elif change == "recipe":
        order = dataclasses.replace(order, recipe=dataclasses.replace(order.recipe, mean=(0.5, 0.5, 0.5)))
    elif change == "source":
        order.source.write_bytes(make_network(bias=0.5).SerializeToString())
    elif change == "damage":
        with (order.folder / "model.onnx").open("r+b") as file:
            file.write(b"damage")
    else:
        (order.folder / "probe.png").unlink()
    assert "install" in build(order)


def test_a_build_that_is_done_is_found_without_loading_the_tools(order: Order) -> None:
    build(order)
    done = run_python(f"""
        import sys
        from pathlib import PosixPath
        from alphacut_engines.order import Order
        from alphacut_engines.pipeline import build
        from alphacut_engines.recipe import ModelRecipe
        print(build({order!r}, print), sorted({{"onnx", "onnxruntime", "onnxslim"}} & set(sys.modules)))
    """)
    assert done.stdout == "False []\n", done.stderr


@pytest.mark.parametrize("moment", ["optimise.optimise", "fuse.fuse", "install._move_in"])
def test_a_killed_build_leaves_the_installed_engine_as_it_was(order: Order, make_network, moment: str) -> None:
    build(order)
    before = content(order.folder)
    order.source.write_bytes(make_network(bias=0.5).SerializeToString())
    module, function = moment.split(".")
    killed = run_python(f"""
        import os, signal
        from pathlib import PosixPath
        from alphacut_engines import {module}, pipeline
        from alphacut_engines.order import Order
        from alphacut_engines.recipe import ModelRecipe
        {module}.{function} = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
        pipeline.build({order!r}, print)
    """)
    assert killed.returncode == -9, killed.stderr
    assert {name: data for name, data in content(order.folder).items() if "/" not in name} == before
    assert "install" in build(order), "what the killed build left behind is not in the way"
    assert sorted(content(order.folder)) == sorted(before)


def test_a_full_disk_is_reported_and_leaves_the_installed_engine_as_it_was(order: Order, make_network) -> None:
    build(order)
    before = content(order.folder)
    order.source.write_bytes(make_network(bias=0.5).SerializeToString())
    # The kernel refuses files over 1 kB in this process, as it refuses them on a full disk.
    full = run_python(f"""
        import resource, signal
        from pathlib import PosixPath
        from alphacut_core.errors import EngineBuildError
        from alphacut_engines import fuse, optimise, pipeline, reference, source
        from alphacut_engines.order import Order
        from alphacut_engines.recipe import ModelRecipe
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            pipeline.build({order!r}, lambda stage: None)
        except EngineBuildError as error:
            print(error)
    """)
    assert "stage install: cannot write" in full.stdout, full.stderr
    assert "free space" in full.stdout
    assert content(order.folder) == before


@pytest.mark.parametrize("source", [b"", b"not a network"])
def test_a_bad_source_leaves_the_installed_engine_as_it_was(order: Order, source: bytes) -> None:
    build(order)
    before = content(order.folder)
    order.source.write_bytes(source)
    with pytest.raises(EngineSourceError):
        build(order)
    assert content(order.folder) == before


def test_a_repository_that_cannot_be_written_is_named(order: Order, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineBuildError, match=r"stage install.*pass --repository"):
        build(dataclasses.replace(order, repository=tmp_path / "file"))
