"""The table of all precisions is measured, marks what is installed, and stands as JSON, Markdown and a page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import onnx
import pytest

from alphacut_core.errors import EngineBuildError
from alphacut_engines import dynamic, fuse, pipeline, processor, reporting
from alphacut_engines.order import Order
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference
from alphacut_engines.survey import Survey

pytest.importorskip("onnxconverter_common", reason="FP16 needs onnxconverter-common; run pip install '.[rtx]'")

NAMES = [
    ("FP32 as exported", "ONNX Runtime"),
    ("FP32 optimised", "ONNX Runtime"),
    ("FP32 optimised", "OpenVINO"),
    ("FP16", "ONNX Runtime"),
    ("BF16", "OpenVINO"),
    ("INT8 static", "ONNX Runtime"),
    ("INT8 static", "OpenVINO"),
    ("INT8 dynamic", "ONNX Runtime"),
]


@pytest.fixture
def order(
    make_order: Callable[..., Order],
    make_photographs: Callable[[str, int], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Order:
    monkeypatch.setattr(processor, "_property", {"flags": "avx512_bf16 avx512_vnni", "model name": "any"}.__getitem__)
    return make_order(gate=make_photographs("gate", 100), calibration=make_photographs("calibration", 40))


def test_every_variant_is_measured_and_the_installed_one_marked(order: Order, tmp_path: Path) -> None:
    pipeline.build(order, lambda step: None)
    said: list[str] = []
    made = reporting.measure(order, said.append, rounds=3)
    assert [(row.name, row.runtime.rsplit(" ", 1)[0]) for row in made.rows] == NAMES
    assert len(said) == len(NAMES)
    assert [row.name for row in made.rows if row.installed] == ["FP32 optimised"]
    assert all(row.passed and row.time_ms > 0 and row.agreement.pictures == 100 for row in made.rows)
    assert made.rows[0].speed == 1.0
    differences = {row.name: row.agreement.mean_difference for row in made.rows}
    assert differences["FP32 as exported"] < 0.01
    assert all(differences[name] > 0 for name in ("FP16", "BF16", "INT8 static", "INT8 dynamic"))
    files = {path.suffix: path.read_text() for path in reporting.write(made, tmp_path / "report")}
    assert len(json.loads(files[".json"])["rows"]) == len(NAMES)
    assert files[".md"].count("\n| ") == len(NAMES) + 2
    assert "FP32 optimised (installed)" in files[".md"]
    HTMLParser().feed(files[".html"])
    assert files[".html"].count("<tr>") == len(NAMES) + 1
    assert not re.findall(r'(?:src|href)="(?!data:)', files[".html"]), "nothing is loaded from elsewhere"


def test_a_report_that_cannot_be_written_says_why(order: Order, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made = reporting.measure(order, lambda line: None, rounds=1)
    with pytest.raises(EngineBuildError, match=r"stage report: cannot write .*file"):
        reporting.write(made, tmp_path / "file")


def test_a_report_lies_in_its_folder_whatever_the_network_is_called(tmp_path: Path) -> None:
    made = Survey(
        model="acme/matting",
        source_sha256="",
        size=64,
        photographs="samples",
        pictures=0,
        rounds=1,
        machine="",
        threads=1,
        rows=(),
    )
    assert sorted(reporting.write(made, tmp_path)) == sorted(tmp_path.glob("acme-matting-64.*"))


def test_dynamic_int8_measures_ranges_anew_and_stays_close(make_network, recipe: ModelRecipe) -> None:
    fused = fuse.fuse(make_network(), recipe)
    before = fused.SerializeToString(deterministic=True)
    model = dynamic.quantise(fused)
    assert fused.SerializeToString(deterministic=True) == before
    assert {"DynamicQuantizeLinear", "ConvInteger"} <= {node.op_type for node in model.graph.node}
    assert onnx.TensorProto.UINT8 in {tensor.data_type for tensor in model.graph.initializer}
    pictures = np.random.default_rng(0).integers(0, 256, (4, recipe.size, recipe.size, 3), dtype=np.uint8)
    masks, _ = Reference(model, "test").masks(pictures)
    wanted, _ = Reference(fused, "test").masks(pictures)
    assert np.abs(masks.astype(int) - wanted).mean() < 3
