"""Every name of TensorRT's that the building routine uses exists in the real bindings of 10.4 to 11.4."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import shutil
import subprocess
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from alphacut_core import lane
from alphacut_core.errors import EngineBuildError
from alphacut_engines import fuse, tensorrt_engine, tensorrt_plan
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.tensorrt_plan import TensorRtEngine
from alphacut_engines.timing_cache import TimingCache

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "names.json").read_text())
VERSIONS = [wheel["version"] for wheel in RECORDED["wheels"]]
# Python's and our own things that happen to be called as something in the bindings.
NOT_TENSORRTS = {"append", "dtype", "name", "read", "shape", "write"}


class CudaLibrary:
    """CUDA's runtime without a GPU behind it: everything succeeds and nothing happens."""

    def __getattr__(self, name: str) -> Callable[..., int]:
        return lambda *arguments: 0


@pytest.fixture
def graph(make_network, recipe: ModelRecipe) -> onnx.ModelProto:
    return fuse.fuse(make_network(), recipe)


@pytest.fixture
def timings(tmp_path: Path) -> TimingCache:
    return TimingCache(tmp_path / "timings" / "gpu.cache")


def build_judge_and_describe(trt: Any, graph: onnx.ModelProto, size: int, timings: TimingCache) -> None:
    """All that is done with TensorRT, and all that can go wrong with it."""
    plan = tensorrt_engine.build(trt, graph, size, timings=timings, level=5)
    tensorrt_engine.layers(trt, plan)
    masks, confidences = TensorRtEngine(trt, plan, size, CudaLibrary()).masks(np.zeros((2, size, size, 3), np.uint8))
    assert (masks.shape, confidences.shape) == ((2, size, size), (2, 1))
    answers = trt.bindings.answers
    for name, answer in (("OnnxParser.parse", False), ("Builder.build_serialized_network", None)):
        answers[name] = answer
        with pytest.raises(EngineBuildError, match="stage engine: TensorRT"):
            tensorrt_engine.build(trt, graph, size, timings=timings)
        del answers[name]
    log = tensorrt_engine.make_log(trt)
    log.log(trt.ILogger.Severity.ERROR, "said")
    assert log.last()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_routine_uses_names_that_the_bindings_have(
    make_tensorrt, graph: onnx.ModelProto, recipe: ModelRecipe, timings: TimingCache, version: str
) -> None:
    trt = make_tensorrt(version)
    build_judge_and_describe(trt, graph, recipe.size, timings)
    assert timings.read() == b"what TensorRT made"
    used = {name.rpartition(".")[2] for name in trt.bindings.used}
    known = {attribute for members in trt.bindings.classes.values() for attribute in members}
    written = {
        node.attr
        for module in (tensorrt_engine, tensorrt_plan, lane)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Attribute)
    }
    assert (written & known) - NOT_TENSORRTS - used == set(), "a name is in the code that no run through it has tried"


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("11.4.0.106", "BuilderFlag.FP16"),
        ("11.0.0.114", "NetworkDefinitionCreationFlag.EXPLICIT_BATCH"),
        ("11.2.1.2", "IInt8EntropyCalibrator2"),
        ("10.4.0", "BuilderFlag.EDITABLE_TIMING_CACHE"),
    ],
)
def test_the_double_has_no_name_that_the_version_lacks(make_tensorrt, version: str, name: str) -> None:
    trt = make_tensorrt(version)
    with pytest.raises(AttributeError, match=f"TensorRT {version} has no "):
        attrgetter(name)(trt)


def test_the_double_takes_no_arguments_that_the_bindings_do_not(make_tensorrt) -> None:
    trt = make_tensorrt("10.8.0.43")
    builder = trt.Builder(tensorrt_engine.make_log(trt))
    assert trt.BuilderFlag.FP16 is not None
    with pytest.raises(AttributeError, match=r"has no Builder\.max_batch_size"):
        builder.max_batch_size = 16
    with pytest.raises(TypeError, match="too many positional arguments"):
        builder.create_builder_config(1)
    with pytest.raises(AssertionError, match="read only"):
        builder.num_DLA_cores = 1


@pytest.mark.slow
def test_the_recorded_names_are_those_of_the_wheels(tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("recording names needs a C compiler")
    spec = importlib.util.spec_from_file_location("record_names", HERE / "record_names.py")
    recorder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recorder)
    try:
        recorded = recorder.record(tmp_path)
    except subprocess.CalledProcessError as error:
        if "download" not in error.cmd:
            raise
        pytest.skip(f"the package index does not give {error.cmd[-1]}")
    assert json.loads(json.dumps(recorded["groups"])) == RECORDED["groups"]
