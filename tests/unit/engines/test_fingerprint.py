"""A network is another one as soon as any of its files is, and a build that is done is found again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import helper, numpy_helper
from PIL import Image

import alphacut_core
from alphacut_core.errors import EngineBuildError, EngineSourceError
from alphacut_core.installed import Installed
from alphacut_engines import external_data, fingerprint, photographs, pipeline
from alphacut_engines.order import Order


def split(model: onnx.ModelProto, path: Path) -> None:
    """Save a network with its weights in a file beside it."""
    data = path.with_name("weights.bin")
    data.unlink(missing_ok=True)  # onnx appends
    onnx.save(model, path, save_as_external_data=True, location=data.name, size_threshold=0)


def test_a_network_trained_again_is_built_again_though_only_its_external_data_changed(
    make_order: Callable[..., Order], make_network
) -> None:
    order = make_order()
    split(make_network(), order.source)
    graph = order.source.read_bytes()
    first = pipeline.build(order, lambda step: None).installed
    split(make_network(bias=0.5), order.source)
    assert order.source.read_bytes() == graph
    second = pipeline.build(order, lambda step: None)
    assert (second.note, second.installed.version) == (None, 2)
    assert second.installed.manifest["engine_sha256"] != first.manifest["engine_sha256"]
    assert pipeline.build(order, lambda step: None).note == "version 2 is this build; nothing to do"


def test_without_external_data_the_checksum_is_the_files(make_network, saved) -> None:
    path = saved(make_network())
    assert fingerprint.of_network(path) == fingerprint.of_file(path)


def test_external_data_is_found_inside_nodes_too(make_network, tmp_path: Path) -> None:
    model = make_network()
    value = numpy_helper.from_array(numpy_helper.to_array(model.graph.initializer[0]), "kernel")
    del model.graph.initializer[0]
    model.graph.node.insert(0, helper.make_node("Constant", [], ["kernel"], value=value))
    path = tmp_path / "network.onnx"
    onnx.save(
        model, path, save_as_external_data=True, location="constants.bin", size_threshold=0, convert_attribute=True
    )
    assert external_data.files(path) == [tmp_path / "constants.bin"]


@pytest.mark.parametrize("content", [b"", b"any location", b"\x08location\xff"])
def test_what_is_no_network_has_no_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "network.onnx"
    path.write_bytes(content)
    assert fingerprint.of_network(path) == fingerprint.of_file(path)


def test_a_photograph_that_leads_nowhere_is_named(make_order: Callable[..., Order], make_photographs) -> None:
    gate = make_photographs("gate", 100)
    (gate / "gone.png").symlink_to(gate / "nowhere.png")
    with pytest.raises(EngineBuildError, match=r"cannot read the photograph .*gone\.png"):
        pipeline.build(make_order(gate=gate), lambda step: None)


def test_a_photograph_that_cannot_be_read_is_named_with_what_to_do_about_pictures(make_photographs) -> None:
    gate = make_photographs("gate", 1)
    (gate / "broken.png").symlink_to("/proc/self/mem")  # of which the first byte cannot be read, by root neither
    with pytest.raises(EngineSourceError, match=r"broken\.png: .*; mend it or take it away"):
        fingerprint.of_pictures(gate)


def test_photographs_that_int8_is_fitted_to_do_not_judge_it_whatever_they_are_called(
    make_order: Callable[..., Order], make_photographs
) -> None:
    gate, calibration = make_photographs("gate", 100), make_photographs("calibration", 40)
    for i in range(5):
        shutil.copy(gate / f"00{i}.png", calibration / f"copy-of-{i}.PNG")
    order = make_order(gate=gate, calibration=calibration)
    with pytest.raises(
        EngineBuildError,
        match=r"^5 of the photographs in --gate .*/gate are in --calibration .*/calibration too \(000\.png, 001\.png, "
        r"002\.png, \.\.\.\); what INT8 is fitted to cannot judge it: take them out of one of the two$",
    ):
        pipeline.build(order, lambda step: None)
    assert not order.repository.exists()
    with pytest.raises(EngineBuildError, match=r"^100 of the photographs"):
        photographs.check_apart(gate, gate)


def test_photographs_of_one_size_in_bytes_are_not_the_same_ones(make_photographs) -> None:
    gate, calibration = make_photographs("gate", 3), make_photographs("calibration", 3)
    for folder in (gate, calibration):
        for path in list(folder.iterdir()):
            with Image.open(path) as picture:
                picture.save(path.with_suffix(".bmp"))
            path.unlink()
    (gate / "gone.bmp").symlink_to("nowhere")
    photographs.check_apart(gate, calibration)


def test_photographs_may_have_any_format_that_is_read_and_names_of_old_disks(
    make_order: Callable[..., Order], make_photographs, serving: Callable[[Order], Installed]
) -> None:
    gate = make_photographs("gate", 100)
    with Image.open(gate / "000.png") as picture:
        picture.save(gate / "000.tif")
    (gate / "000.png").unlink()
    for i in range(1, 4):  # the first of pictures that are all alike in being right, which the page shows
        os.rename(os.fsencode(gate / f"00{i}.png"), os.fsencode(gate) + b"/ caf\xe9 %d.png" % i)
    order = make_order(gate=gate)
    pipeline.build(order, lambda step: None)
    assert json.loads((serving(order).folder / "gate.json").read_text())["rows"][0]["agreement"]["pictures"] == 100


@pytest.mark.parametrize("name", ["agreement", "geometry"])
def test_engines_are_judged_anew_when_bounds_or_squares_changed_in_the_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = fingerprint.code()
    core = shutil.copytree(Path(alphacut_core.__file__).parent, tmp_path / "core")
    monkeypatch.setattr(alphacut_core, "__file__", str(core / "__init__.py"))
    assert fingerprint.code() == before
    with (core / f"{name}.py").open("a") as file:
        file.write("# another one\n")
    assert fingerprint.code() != before
