"""A build installs whole engines, once, and whatever interrupts it leaves what serves as it was."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from alphacut_core import codec, geometry, installed, probe
from alphacut_core.contract import CONTRACT_VERSION
from alphacut_core.errors import EngineBuildError, EngineSourceError
from alphacut_core.installed import Installed
from alphacut_engines import configs, pipeline
from alphacut_engines.order import Order
from alphacut_engines.reference import Reference
from alphacut_engines.stages import Step

STAGES = ["source", "optimise", "fuse", "gate", "engine", "probe", "install"]


@pytest.fixture
def order(make_order) -> Order:
    return make_order()


def build(order: Order) -> list[str]:
    """Build and return the names of the stages that ran."""
    steps: list[Step] = []
    outcome = pipeline.build(order, steps.append)
    assert (outcome.note is None) == bool(steps)
    return [step.stage for step in steps]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def whole(order: Order) -> dict[str, bytes]:
    """Return all that Triton may read of the repository."""
    found = content(order.repository)
    return {name: data for name, data in found.items() if "/.installing/" not in name}


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120, check=False
    )


def test_a_build_installs_engine_manifest_and_probe_with_the_adapter(
    order: Order, serving: Callable[[Order], Installed]
) -> None:
    assert build(order) == STAGES
    assert sorted(content(serving(order).folder)) == ["manifest.json", "model.onnx", "model.py", "probe.png"]
    manifest = json.loads((serving(order).folder / "manifest.json").read_text())
    assert (manifest["model"], manifest["precision"], manifest["size"]) == ("small", "fp32", order.recipe.size)
    assert manifest["contract_version"] == CONTRACT_VERSION


def test_a_repository_from_nothing_has_everything_that_the_ensemble_needs(order: Order) -> None:
    build(order)
    names = order.pipeline
    for name in (names.ensemble, names.preprocess, names.engine, names.postprocess):
        config = configs.read(order.repository / name / "config.pbtxt")
        assert config.name == name
        assert (order.repository / name / "1").is_dir()
        if config.backend == "python":
            assert (order.repository / name / "1" / "model.py").is_file()


def test_the_stored_probe_is_the_installed_engines_answer(order: Order, serving: Callable[[Order], Installed]) -> None:
    build(order)
    fused = Reference.of_file(serving(order).folder / "model.onnx")
    square = geometry.to_square(codec.decode(probe.picture()), order.recipe.size)
    np.testing.assert_array_equal(probe.load_answer(serving(order).folder), fused.masks(square[None])[0][0])


def test_what_was_found_out_belongs_to_the_version_that_it_was_found_of(
    order: Order, make_photographs, serving: Callable[[Order], Installed]
) -> None:
    build(dataclasses.replace(order, gate=make_photographs("gate", 100)))
    assert {"gate.json", "gate.html"} <= set(content(serving(order).folder))
    build(order)
    assert sorted(content(serving(order).folder)) == ["manifest.json", "model.onnx", "model.py", "probe.png"]


def test_the_same_build_again_does_nothing(order: Order) -> None:
    build(order)
    before = whole(order)
    assert build(order) == []
    assert whole(order) == before


@pytest.mark.parametrize("change", ["force", "recipe", "source", "damage", "loss"])
def test_a_build_runs_again_when_asked_or_when_something_changed(
    order: Order, make_network, serving: Callable[[Order], Installed], change: str
) -> None:
    build(order)
    if change == "force":
        order = dataclasses.replace(order, force=True)
    elif change == "recipe":
        order = dataclasses.replace(order, recipe=dataclasses.replace(order.recipe, mean=(0.5, 0.5, 0.5)))
    elif change == "source":
        order.source.write_bytes(make_network(bias=0.5).SerializeToString())
    elif change == "damage":
        with (serving(order).folder / "model.onnx").open("r+b") as file:
            file.write(b"damage")
    else:
        (serving(order).folder / "probe.png").unlink()
    assert "install" in build(order)
    assert serving(order).version == 2


def test_a_build_that_is_done_is_found_without_loading_the_tools(order: Order) -> None:
    build(order)
    done = run_python(f"""
        import sys
        from pathlib import PosixPath
        from alphacut_engines.order import Order
        from alphacut_engines.pipeline import build
        from alphacut_engines.recipe import ModelRecipe
        print(build({order!r}, print).note, sorted({{"onnx", "onnxruntime", "onnxslim"}} & set(sys.modules)))
    """)
    assert done.stdout == "version 1 is this build; nothing to do []\n", done.stderr


@pytest.mark.parametrize("moment", ["optimise.optimise", "fuse.fuse", "install._move_in", "install._serve"])
def test_a_killed_build_leaves_what_serves_as_it_was(
    order: Order, make_network, serving: Callable[[Order], Installed], moment: str
) -> None:
    build(order)
    before = serving(order), content(serving(order).folder)
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
    assert (serving(order), content(serving(order).folder)) == before
    assert "install" in build(order), "what the killed build left behind is not in the way"
    assert serving(order).version > 1
    assert sorted(content(serving(order).folder)) == sorted(before[1])


@pytest.mark.parametrize("stage", ["fuse: cannot keep", "install: cannot write"])
def test_a_full_disk_is_reported_and_leaves_what_serves_as_it_was(
    order: Order, make_network, tmp_path: Path, stage: str
) -> None:
    build(order)
    before = whole(order)
    order.source.write_bytes(make_network(bias=0.5).SerializeToString())
    if "install" in stage:  # the stages before are kept, so that nothing else has to be written
        build(dataclasses.replace(order, repository=tmp_path / "elsewhere"))
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
    assert f"stage {stage}" in full.stdout, full.stderr
    assert "free space" in full.stdout
    assert whole(order) == before


def test_a_network_that_masks_nothing_is_refused(order: Order, make_network) -> None:
    order.source.write_bytes(make_network(weight=0.0).SerializeToString())
    with pytest.raises(EngineBuildError, match="stage probe: small gives the probe picture a mask of nothing but 0"):
        build(order)
    plain = dataclasses.replace(order.recipe, stretch="none")
    assert "install" in build(dataclasses.replace(order, recipe=plain)), "without a subject it may say so"


@pytest.mark.parametrize("source", [b"", b"not a network"])
def test_a_bad_source_leaves_what_serves_as_it_was(order: Order, source: bytes) -> None:
    build(order)
    before = whole(order)
    order.source.write_bytes(source)
    with pytest.raises(EngineSourceError):
        build(order)
    assert whole(order) == before


def test_a_repository_that_cannot_be_written_is_named(order: Order, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineBuildError, match=r"stage install.*pass --repository"):
        build(dataclasses.replace(order, repository=tmp_path / "file"))


def test_an_engine_tells_its_clients_what_it_is(order: Order, serving: Callable[[Order], Installed]) -> None:
    build(order)
    engine = serving(order)
    parameters = {name: value.string_value for name, value in configs.read(engine.config).parameters.items()}
    assert (
        parameters.items()
        >= {
            "model": "small",
            "network": "small",
            "tier": "full",
            "size": str(order.recipe.size),
            "precision": "fp32",
            "licence": order.recipe.licence,
            "engine_version": "1",
            "engine_sha256": engine.manifest["artefacts"]["model.onnx"],
        }.items()
    )
    assert float(parameters["time_ms"]) >= 0
    assert "mean_iou" not in parameters, "nothing was measured"


def test_the_build_is_read_back_from_the_repository(order: Order, serving: Callable[[Order], Installed]) -> None:
    build(order)
    assert serving(order).pipeline == order.pipeline
    assert [found.engine for found in installed.find_all(order.repository)] == ["small"]
