"""A user's own ONNX file, at another size than the bundled network's, from the command line to masks from Triton."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput

from alphacut_core import codec, geometry, tiers
from alphacut_engines import cli
from alphacut_engines.recipe import ModelRecipe

pytestmark = pytest.mark.triton

SIZE = 1024


def save_network(path: Path) -> None:
    """Write a network whose map is the red channel."""
    kernel = numpy_helper.from_array(np.array([1, 0, 0], np.float32).reshape(1, 3, 1, 1), "kernel")
    shapes = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, n, SIZE, SIZE]) for name, n in (("x", 3), ("y", 1))
    ]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "kernel"], ["y"])], "red", shapes[:1], shapes[1:], [kernel]
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def save_recipe(path: Path) -> None:
    recipe = ModelRecipe(
        name="red", engine="red", architecture="one convolution", size=SIZE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0),
        scaling="255", output=0, channels=1, activation="none", stretch="none", licence="MIT", commercial=True,
        weights=None,
    )  # fmt: skip
    facts = dataclasses.asdict(recipe)
    del facts["weights"]
    path.write_text(json.dumps(facts))


def test_a_network_of_1024_pixels_is_built_and_served_under_its_own_name(
    start_server: Callable[..., Any], samples: dict[str, bytes], tmp_path: Path
) -> None:
    save_network(tmp_path / "red.onnx")
    save_recipe(tmp_path / "red.json")
    repository = tmp_path / "repository"
    arguments = [str(tmp_path / "red.onnx"), "--recipe", str(tmp_path / "red.json"), "--name", "wide"]
    done = CliRunner().invoke(cli.build, [*arguments, "--repository", str(repository)], catch_exceptions=False)
    assert done.exit_code == 0
    server = start_server("--repository", str(repository), "--model", "wide")
    names = tiers.pipeline("wide", "full", SIZE)
    assert (names.ensemble, names.preprocess) == ("remove_background_wide", "preprocess_1024")
    client = InferenceServerClient(server.url)
    inputs = []
    for name, data in (("ENCODED", samples["cat"]), ("OPTIONS", b"{}")):
        values = np.frombuffer(data, np.uint8)[None]
        inputs.append(InferInput(name, list(values.shape), "UINT8"))
        inputs[-1].set_data_from_numpy(values)
    outputs = [InferRequestedOutput(name) for name in ("MASK", "CONFIDENCE", "RENDERED")]
    answer = client.infer(names.ensemble, inputs, outputs=outputs, client_timeout=120)
    client.close()
    red = geometry.to_square(codec.decode(samples["cat"]), SIZE)[..., 0]
    difference = np.abs(answer.as_numpy("MASK")[0].astype(int) - red)
    assert difference.max() <= 1
    assert codec.decode(answer.as_numpy("RENDERED").tobytes()).size == (451, 300)


def test_a_network_that_nobody_has_photographs_for_is_not_built_at_another_size(tmp_path: Path) -> None:
    save_network(tmp_path / "red.onnx")
    save_recipe(tmp_path / "red.json")
    arguments = [str(tmp_path / "red.onnx"), "--recipe", str(tmp_path / "red.json"), "--tier", "lite"]
    with pytest.raises(Exception, match="nothing shows what red loses at 512 pixels; pass --gate DIR"):
        CliRunner().invoke(cli.build, [*arguments, "--repository", str(tmp_path / "r")], catch_exceptions=False)
