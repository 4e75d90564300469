"""The published networks' masks are rembg's, where their files have been fetched: in both runtimes, in FP32."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest

from alphacut_engines import fetch, fuse, optimise, registry, source
from alphacut_engines.gate import Engine
from alphacut_engines.openvino_cpu import OpenVinoEngine
from alphacut_engines.recipe import Download, ModelRecipe
from alphacut_engines.reference import Reference

from .test_masks import assert_alike, mask_of, rembgs_mask_of

pytestmark = pytest.mark.slow

CERTAIN = 253
"""From here on a network is certain: its map is float32's last bits below 1, and truncation makes 254 or 255 of them,
by rembg as by every engine, each at other pixels."""


@pytest.fixture(params=["u2netp", "u2net"], scope="module")
def recipe(request: pytest.FixtureRequest) -> ModelRecipe:
    return registry.find(request.param)


@pytest.fixture(scope="module")
def weights(recipe: ModelRecipe) -> Path:
    assert isinstance(recipe.weights, Download)
    path = fetch.cache_folder() / recipe.weights.file
    if not (path.is_file() and fetch.matches(path, recipe.weights)):
        pytest.skip(f"the published {recipe.name} is not on this machine; alphacut build {recipe.name} fetches it")
    return path


@pytest.fixture(scope="module")
def session(
    rembg: ModuleType, recipe: ModelRecipe, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """rembg's own session; it compares the file's checksum with its own list."""
    home = tmp_path_factory.mktemp("published")
    (home / f"{recipe.name}.onnx").symlink_to(weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("U2NET_HOME", str(home))
        yield rembg.new_session(recipe.name)


@pytest.fixture(scope="module")
def fused(recipe: ModelRecipe, weights: Path) -> onnx.ModelProto:
    return fuse.fuse(optimise.optimise(source.load(weights, recipe), recipe), recipe)


@pytest.fixture(params=["ONNX Runtime", "OpenVINO"], scope="module")
def engine(request: pytest.FixtureRequest, fused: onnx.ModelProto) -> Engine:
    return OpenVinoEngine(fused, "fp32") if request.param == "OpenVINO" else Reference(fused, "parity")


def test_masks_of_photographs_are_rembgs(
    rembg: ModuleType, session: Any, engine: Engine, samples: dict[str, bytes]
) -> None:
    for name, data in samples.items():
        got, wanted = mask_of(engine, data), rembgs_mask_of(rembg, session, data)
        assert_alike(got, wanted, name, share=1)
        assert_alike(np.minimum(got, CERTAIN), np.minimum(wanted, CERTAIN), name)
