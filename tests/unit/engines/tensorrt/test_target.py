"""The data-centre target: what it lacks is said at once, and what it builds is what it judges."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from alphacut_core import cuda
from alphacut_core.errors import EngineBuildError, EngineError, MissingLibraryError
from alphacut_engines import fuse, gpu, target, tensorrt_engine, tensorrt_library, tensorrt_module
from alphacut_engines.gpu import Gpu
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.timing_cache import TimingCache

L4 = Gpu("NVIDIA L4", "8.9", "580.10")
VERSION = "11.2.1.2"


@pytest.fixture
def trt(make_tensorrt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The names of a version on a machine with a GPU."""
    module = make_tensorrt(VERSION)
    monkeypatch.setattr(tensorrt_module, "load", lambda: module)
    monkeypatch.setattr(gpu, "visible", lambda: (L4,))
    monkeypatch.setenv("ALPHACUT_HOME", str(tmp_path))
    return module


def test_without_tensorrt_one_line_says_what_to_do() -> None:
    with pytest.raises(MissingLibraryError, match=r"docker compose run --rm build.*pip install tensorrt-cu13") as found:
        target.find("tensorrt").prepare()
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("version", ["8.6.1", "10.3.0", "12.0.0.1"])
def test_a_version_that_nobody_has_tried_is_refused(
    make_tensorrt, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    module = make_tensorrt(VERSION)
    module.__version__ = version
    monkeypatch.setattr(tensorrt_module.importlib, "import_module", lambda name: module)
    with pytest.raises(MissingLibraryError, match=rf"got TensorRT {re.escape(version)}; .* 10\.4 to 11\.x"):
        tensorrt_module.load()


@pytest.mark.parametrize("version", ["10.4.0", "10.16.1.11", "11.4.0.106"])
def test_all_versions_from_10_4_to_11_are_taken(make_tensorrt, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    module = make_tensorrt(version)
    monkeypatch.setattr(tensorrt_module.importlib, "import_module", lambda name: module)
    assert tensorrt_module.load() is module


def test_the_manifest_names_all_that_a_plan_depends_on(trt: Any) -> None:
    kind = target.find("tensorrt")
    kind.prepare()
    assert kind.built_for() == {
        "tensorrt": VERSION,
        "gpu": "NVIDIA L4",
        "compute_capability": "8.9",
        "driver": "580.10",
    }


def test_the_plan_that_is_saved_is_the_one_that_was_judged(
    trt: Any, make_network, recipe: ModelRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = iter([b"first", b"second"])
    loaded = []
    monkeypatch.setattr(tensorrt_engine, "build", lambda *arguments, **named: next(plans))
    monkeypatch.setattr(target, "TensorRtEngine", lambda trt, plan, size, library: loaded.append((plan, size)))
    monkeypatch.setattr(cuda, "load", lambda: None)
    kind = target.find("tensorrt")
    graph = fuse.fuse(make_network(bias=0.25), recipe)
    kind.run(graph, "fp16")
    assert kind.save(graph, recipe) == b"first"
    assert loaded == [(b"first", recipe.size)]
    assert kind.save(fuse.fuse(make_network(bias=0.75), recipe), recipe) == b"second"


def test_layers_are_told_beside_the_plan(trt: Any) -> None:
    assert target.find("tensorrt").beside(b"plan") == {"layers.json": b"{}"}


def test_the_level_reaches_the_builder(
    trt: Any, make_network, recipe: ModelRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = []

    def build(trt: Any, model: onnx.ModelProto, size: int, **named: Any) -> bytes:
        levels.append(named["level"])
        return b"plan"

    monkeypatch.setattr(tensorrt_engine, "build", build)
    graph = fuse.fuse(make_network(), recipe)
    for level in (1, 5):
        target.find("tensorrt", level).save(graph, recipe)
    assert levels == [1, 5]


def test_timings_are_kept_for_one_gpu_and_one_version(
    trt: Any, make_network, recipe: ModelRecipe, tmp_path: Path
) -> None:
    target.find("tensorrt", 2).save(fuse.fuse(make_network(bias=0.5), recipe), recipe)
    (kept,) = (tmp_path / "timings").iterdir()
    assert kept.name == "NVIDIA-L4-8.9-tensorrt-11.2.1.2.cache"
    assert kept.read_bytes() == b"what TensorRT made"
    names = {TimingCache.of(one, v).path.name for one in (L4, Gpu("NVIDIA A10", "8.6", "1")) for v in ("10.4", "11.0")}
    assert len(names) == 4


def test_timings_that_cannot_be_kept_are_reported_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EngineBuildError, match=r"stage engine: cannot keep timings.*set ALPHACUT_HOME"):
        TimingCache(tmp_path / "file" / "gpu.cache").write(b"")


def test_a_machine_without_cudas_library_is_told_where_to_build() -> None:
    with pytest.raises(MissingLibraryError, match=r"libnothing\.so.*docker compose run --rm build"):
        cuda.load(("libnothing.so",))


def test_what_the_gpu_says_is_passed_on() -> None:
    class Failing:
        cudaMalloc = staticmethod(lambda *arguments: 2)  # noqa: N815
        cudaGetErrorString = staticmethod(lambda status: {2: b"out of memory"}[status])  # noqa: N815

    with pytest.raises(EngineError, match="the GPU says 'out of memory'"):
        cuda.Buffer(Failing(), (4, 4), np.uint8)


def test_a_machine_without_the_library_has_no_version_of_it() -> None:
    assert tensorrt_library.version(("libnothing.so",)) is None
