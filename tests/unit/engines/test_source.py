"""Networks that cannot become engines are refused by name, reason and remedy."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from alphacut_core.errors import EngineSourceError
from alphacut_engines import calibration, fuse, half, mixed, optimise, source
from alphacut_engines.photographs import Photographs
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.registry import BUNDLED

from .conftest import difference_in_half


def test_a_good_network_is_loaded(make_network, saved, recipe: ModelRecipe) -> None:
    model = make_network()
    assert source.load(saved(model), recipe) == model


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    whole = BUNDLED.weights.read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(EngineSourceError, match=r"cut\.onnx .*download or export it again"):
        source.load(path, BUNDLED)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" * 20, b"plain text, not a network", bytes(1000)])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    with pytest.raises(EngineSourceError, match=r"other\.onnx"):
        source.load(path, BUNDLED)


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineSourceError, match=r"nowhere\.onnx"):
        source.load(tmp_path / "nowhere.onnx", BUNDLED)
    with pytest.raises(EngineSourceError, match="Is a directory"):
        source.load(tmp_path, BUNDLED)


def test_missing_external_data_is_named(make_network, tmp_path: Path, recipe: ModelRecipe) -> None:
    model = make_network()
    path = tmp_path / "split.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(EngineSourceError, match=r"weights\.bin.*put the external data beside it"):
        source.load(path, recipe)


def test_external_data_that_is_there_is_read(make_network, tmp_path: Path, recipe: ModelRecipe) -> None:
    path = tmp_path / "split.onnx"
    onnx.save(make_network(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    kernel = source.load(path, recipe).graph.initializer[0]
    assert np.frombuffer(kernel.raw_data, np.float32).size == 27


@pytest.mark.parametrize("left", [0, 10])
def test_external_data_that_is_cut_off_is_refused(make_network, tmp_path: Path, recipe: ModelRecipe, left: int) -> None:
    path = tmp_path / "split.onnx"
    onnx.save(make_network(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    os.truncate(tmp_path / "weights.bin", left)
    with pytest.raises(EngineSourceError, match=r"unreadable external data .*put the external data beside it, whole"):
        source.load(path, recipe)


def test_a_network_larger_than_an_onnx_file_can_be_is_refused_in_words(
    make_network, tmp_path: Path, recipe: ModelRecipe
) -> None:
    path = tmp_path / "large.onnx"
    onnx.save(make_network(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    os.truncate(tmp_path / "weights.bin", 2**31)  # takes no space
    with pytest.raises(EngineSourceError, match=r"large\.onnx is a file of 2\.0 GiB, weights included"):
        source.load(path, recipe)


def test_a_name_that_is_no_text_is_refused(make_network, tmp_path: Path, recipe: ModelRecipe) -> None:
    path = tmp_path / "flipped.onnx"
    path.write_bytes(make_network().SerializeToString().replace(b"kernel", b"ker\xffel", 1))
    with pytest.raises(EngineSourceError, match=r"flipped\.onnx .*download or export it again"):
        source.load(path, recipe)


@pytest.mark.parametrize(
    "stated", [[("ai.onnx", 18)], [("", 18), ("ai.onnx", 18)], [("ai.onnx.ml", 3), ("", 18)]], ids=str
)
def test_the_opset_is_found_under_both_names_and_behind_others(
    make_network, saved, recipe: ModelRecipe, stated: list[tuple[str, int]]
) -> None:
    model = make_network()
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(*one) for one in stated)
    loaded = source.load(saved(model), recipe)
    assert list(loaded.opset_import) == [helper.make_opsetid("", 18)]
    fuse.fuse(optimise.optimise(loaded, recipe), recipe)


def test_two_opsets_at_once_are_refused(make_network, saved, recipe: ModelRecipe) -> None:
    model = make_network()
    model.opset_import.append(helper.make_opsetid("ai.onnx", 13))
    with pytest.raises(EngineSourceError, match="of opsets 13 and 17 at once"):
        source.load(saved(model), recipe)


@pytest.mark.parametrize("opset", [9, 23])
def test_an_opset_too_old_or_too_new_is_refused(make_network, saved, recipe: ModelRecipe, opset: int) -> None:
    with pytest.raises(EngineSourceError, match=f"opset {opset}; export it with an opset from 11 to 22"):
        source.load(saved(make_network(opset=opset)), recipe)


def test_operators_of_another_domain_are_named(make_network, saved, recipe: ModelRecipe) -> None:
    model = make_network()
    model.graph.node[1].domain = "com.example.fast"
    model.opset_import.append(helper.make_opsetid("com.example.fast", 1))
    with pytest.raises(EngineSourceError, match=r"operators of com\.example\.fast"):
        source.load(saved(model), recipe)


def test_a_graph_that_breaks_the_standard_is_refused(make_network, saved, recipe: ModelRecipe) -> None:
    model = make_network()
    model.graph.node[1].input[0] = "nothing"
    with pytest.raises(EngineSourceError, match="breaks the ONNX standard"):
        source.load(saved(model), recipe)


def test_an_input_of_another_size_is_refused(make_network, saved, recipe: ModelRecipe) -> None:
    with pytest.raises(EngineSourceError, match=r"\['batch', 3, 32, 32\].*float32 \[batch, 3, 16, 16\]"):
        source.load(saved(make_network(size=32)), recipe)


def test_a_half_precision_input_is_refused(make_network, saved, recipe: ModelRecipe) -> None:
    model = make_network()
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    with pytest.raises(EngineSourceError, match="FLOAT16"):
        source.load(saved(model), recipe)


def test_half_precision_weights_become_fp32_which_every_stage_takes(
    make_network, saved, recipe: ModelRecipe, pictures: Photographs
) -> None:
    network = source.load(saved(half.to_half(make_network(sigmoid=False))), recipe)
    assert "FLOAT16" not in onnx.printer.to_text(network).upper()
    fused = fuse.fuse(optimise.optimise(network, recipe), recipe)
    fitted = calibration.calibrate(fused, pictures, "", ("int8",))
    typed = mixed.int8_in_half(optimise.optimise(network, recipe), fitted.ranges, "int8")
    assert difference_in_half(typed, make_network(sigmoid=False), recipe, pictures) < 3


def test_a_second_input_is_refused(make_network, saved, recipe: ModelRecipe) -> None:
    model = make_network()
    model.graph.input.append(helper.make_tensor_value_info("trimap", TensorProto.FLOAT, [1, 1, 16, 16]))
    with pytest.raises(EngineSourceError, match=r"2 inputs \(input, trimap\)"):
        source.load(saved(model), recipe)


def test_an_output_that_is_not_there_is_refused(make_network, saved, recipe: ModelRecipe) -> None:
    with pytest.raises(EngineSourceError, match="1 outputs; small takes the one at position 3"):
        source.load(saved(make_network()), dataclasses.replace(recipe, output=3))


def test_an_output_of_several_channels_is_refused(make_network, saved, recipe: ModelRecipe) -> None:
    model = make_network()
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 4
    with pytest.raises(EngineSourceError, match=r"\['batch', 4, 16, 16\]"):
        source.load(saved(model), recipe)
