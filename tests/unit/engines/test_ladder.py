"""The fastest precision whose masks are proved is installed, and the reasons against the others are said."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from alphacut_core.agreement import BOUNDS
from alphacut_core.errors import EngineBuildError, EngineParityError
from alphacut_core.geometry import Pixels
from alphacut_engines import calibration, evidence, fingerprint, fuse, gate, ladder, photographs, processor, registry
from alphacut_engines import recipe as recipes
from alphacut_engines.calibration import Calibration
from alphacut_engines.evidence import Evidence
from alphacut_engines.order import Order
from alphacut_engines.photographs import Photographs
from alphacut_engines.recipe import Download, ModelRecipe
from alphacut_engines.registry import BUNDLED
from alphacut_engines.stage_cache import StageCache
from alphacut_engines.target import TARGETS, Network, Target

MakeOrder = Callable[..., Order]


class Sure:
    """A reference that is sure of bright pictures only."""

    def __init__(self, least: float) -> None:
        self._least = least

    def masks(self, pictures: Pixels) -> tuple[Pixels, NDArray[np.float32]]:
        sure = 1.0 if pictures.mean() >= self._least else 0.4
        return np.zeros(pictures.shape[:3], np.uint8), np.full((len(pictures), 1), sure, np.float32)


def test_samples_without_a_subject_do_not_judge_an_engine() -> None:
    samples = photographs.samples(16)
    brightness = {path: square.mean() for path, (_, square) in zip(samples.paths, plain(samples), strict=True)}
    least = float(np.median(list(brightness.values())))
    judging = gate.with_subject(Sure(least), samples)
    assert set(judging.paths) == {path for path, mean in brightness.items() if mean >= least}
    assert judging.kind == samples.kind
    assert 0 < len(judging.paths) < len(samples.paths)


def test_where_no_sample_has_a_subject_all_of_them_judge() -> None:
    samples = photographs.samples(16)
    assert gate.with_subject(Sure(256), samples) == samples


def plain(samples: Photographs) -> Photographs:
    return dataclasses.replace(samples, kind=photographs.FOLDER)


@pytest.fixture(autouse=True)
def able_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs the tests: OpenVINO emulates what the processor lacks."""
    monkeypatch.setattr(processor, "_property", {"flags": "avx512_bf16 avx512_vnni", "model name": "any"}.__getitem__)


@pytest.fixture
def network(make_network, recipe: ModelRecipe) -> Network:
    return Network(recipe, make_network(), fuse.fuse(make_network(), recipe))


def climb(order: Order, network: Network) -> tuple[ladder.Choice, list[str]]:
    said: list[str] = []
    cache = StageCache({}, refresh=False, folder=order.repository.with_name("stages"))
    return ladder.climb(order, network, "checksum", said.append, cache), said


def test_with_photographs_the_fastest_rung_is_taken_and_all_are_reported(
    make_order: MakeOrder, make_photographs, network: Network
) -> None:
    order = make_order(
        precision="auto", gate=make_photographs("gate", 100), calibration=make_photographs("calibration", 40)
    )
    choice, _ = climb(order, network)
    assert choice.precision == "int8"
    assert any(node.op_type == "QuantizeLinear" for node in choice.model.graph.node)
    assert choice.report is not None
    report = json.loads(choice.report.to_json())
    assert [row["precision"] for row in report["rows"]] == ["int8", "bf16", "fp32"]
    assert report["rows"][0]["agreement"]["pictures"] == 100
    assert report["calibration_sha256"] == evidence.checksum(choice.calibration)


def test_a_broken_calibration_is_refused_and_the_next_rung_takes_its_place(
    make_order: MakeOrder, make_photographs, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = calibration.calibrate

    def broken(*arguments: object) -> Calibration:
        good = whole(*arguments)
        return dataclasses.replace(
            good, ranges={name: (low / 50, high / 50) for name, (low, high) in good.ranges.items()}
        )

    monkeypatch.setattr(calibration, "calibrate", broken)
    order = make_order(
        precision="int8", gate=make_photographs("gate", 100), calibration=make_photographs("calibration", 40)
    )
    choice, said = climb(order, network)
    assert choice.precision == "bf16"
    assert any(line.startswith("int8:") and "REFUSED, worst is" in line for line in said)
    assert choice.report is not None
    assert [(row.precision, row.passed) for row in choice.report.rows] == [
        ("int8", False),
        ("bf16", True),
        ("fp32", True),
    ]
    assert choice.page is not None
    assert 'class="refused">refused' in choice.page


def test_unknown_weights_without_photographs_stop_at_fp32_and_say_why(make_order: MakeOrder, network: Network) -> None:
    choice, said = climb(make_order(precision="auto"), network)
    assert choice.precision == "fp32"
    assert [line.split()[0] for line in said] == ["int8", "bf16"]
    assert all("pass --gate DIR" in line for line in said)


def test_a_precision_asked_for_by_name_is_not_replaced_in_silence(
    make_order: MakeOrder, make_photographs, network: Network
) -> None:
    with pytest.raises(EngineBuildError, match=r"bf16 cannot be built for small: nothing shows.*--gate"):
        climb(make_order(precision="bf16"), network)
    with pytest.raises(EngineBuildError, match=r"int8 cannot be built for small: .*--calibration"):
        climb(make_order(precision="int8", gate=make_photographs("gate", 100)), network)


def test_a_processor_without_the_instructions_is_named(
    make_order: MakeOrder, make_photographs, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "_property", {"flags": "sse2", "model name": "old"}.__getitem__)
    choice, said = climb(make_order(precision="auto", gate=make_photographs("gate", 100)), network)
    assert choice.precision == "fp32"
    assert said[0] == "int8 is not tried: this processor has none of amx_int8, avx512_vnni, avx_vnni"
    assert said[1] == "bf16 is not tried: this processor has none of amx_bf16, avx512_bf16"


def test_too_few_photographs_prove_nothing(make_order: MakeOrder, make_photographs, network: Network) -> None:
    with pytest.raises(EngineBuildError, match=r"got 99 photographs .* at least 100"):
        climb(make_order(precision="auto", gate=make_photographs("gate", 99)), network)


def test_a_broken_photograph_is_named(make_order: MakeOrder, make_photographs, network: Network) -> None:
    folder = make_photographs("gate", 100)
    (folder / "050.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    with pytest.raises(EngineBuildError, match=r"050\.png"):
        climb(make_order(precision="auto", gate=folder), network)


def test_even_fp32_is_refused_when_it_computes_something_else(
    make_order: MakeOrder, make_photographs, make_network, recipe: ModelRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = fuse.fuse(make_network(weight=-1.0), recipe)
    monkeypatch.setattr(Target, "graph", lambda *arguments: other)
    order = make_order(precision="fp32", gate=make_photographs("gate", 100))
    with pytest.raises(EngineParityError, match=r"fp32 differs from the reference.*worst is '\d+\.png'"):
        climb(order, Network(recipe, make_network(), fuse.fuse(make_network(), recipe)))


@pytest.mark.parametrize("target", TARGETS)
def test_the_bundled_weights_come_with_proof_for_every_rung(target: str) -> None:
    sha256 = fingerprint.of_file(BUNDLED.weights)
    known = evidence.of(BUNDLED, TARGETS[target].evidence, sha256)
    assert known.passed == set(TARGETS[target].rungs)
    assert known.calibration is not None
    assert known.calibration.source_sha256 == sha256


def test_proof_counts_for_the_very_weights_only() -> None:
    known = evidence.of(BUNDLED, "cpu", "another file's checksum")
    assert known.calibration is None
    assert not known.passed


def test_proof_of_int8_counts_for_the_very_calibration_only(tmp_path: Path) -> None:
    assert isinstance(BUNDLED.weights, Path)
    for path in BUNDLED.weights.parent.glob(f"{BUNDLED.weights.stem}.*"):
        shutil.copy(path, tmp_path)
    moved = dataclasses.replace(BUNDLED, weights=tmp_path / BUNDLED.weights.name)
    sha256 = fingerprint.of_file(BUNDLED.weights)
    assert "int8" in evidence.of(moved, "cpu", sha256).passed
    path = tmp_path / f"{BUNDLED.weights.stem}.calibration.json"
    other = dataclasses.replace(calibration.read(path), pictures=1)
    path.write_text(other.to_json())
    assert evidence.of(moved, "cpu", sha256).passed == {"bf16", "fp32"}


def test_what_was_measured_of_published_weights_counts_for_that_very_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(BUNDLED.weights, Path)
    for path in BUNDLED.weights.parent.glob(f"{BUNDLED.weights.stem}.*.json"):
        shutil.copy(path, tmp_path / path.name.replace(BUNDLED.weights.stem, "elsewhere", 1))
    monkeypatch.setattr(recipes, "KNOWN", tmp_path)
    download = Download(url="https://example.com/elsewhere.onnx", file="elsewhere.onnx", size_bytes=None, checksum=None)
    published = dataclasses.replace(BUNDLED, weights=download)
    sha256 = fingerprint.of_file(BUNDLED.weights)
    assert evidence.of(published, "cpu", sha256).passed == set(TARGETS["cpu"].rungs)
    assert not evidence.of(published, "cpu", "another file's checksum").passed
    assert not evidence.of(dataclasses.replace(BUNDLED, weights=None), "cpu", sha256).passed


@pytest.mark.parametrize("name", ["u2net", "u2netp"])
def test_published_networks_come_with_proof_for_processors(name: str) -> None:
    published = registry.find(name)
    fitted_path = published.known("calibration.json")
    assert fitted_path is not None
    fitted = calibration.read(fitted_path)
    known = evidence.of(published, TARGETS["cpu"].evidence, fitted.source_sha256)
    assert known.passed == set(TARGETS["cpu"].rungs)
    assert known.calibration == fitted


def test_a_calibration_for_other_activations_is_none(
    make_order: MakeOrder, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = calibration.read(BUNDLED.weights.with_suffix(".calibration.json"))
    one_kind = dataclasses.replace(bundled, excluded={"uint8": []})
    monkeypatch.setattr(evidence, "of", lambda *_: Evidence(one_kind, frozenset({"int8", "fp16", "fp32"})))
    with pytest.raises(EngineBuildError, match="nothing says which values flow through the network"):
        climb(make_order(precision="int8", target="tensorrt_rtx"), network)


def test_proof_is_of_the_calibration_that_it_came_with_and_of_no_users(
    make_order: MakeOrder, make_photographs, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = calibration.read(BUNDLED.weights.with_suffix(".calibration.json"))
    monkeypatch.setattr(evidence, "of", lambda *_: Evidence(published, frozenset({"int8", "bf16", "fp32"})))
    own = make_photographs("calibration", 40)
    choice, said = climb(make_order(precision="auto", calibration=own), network)
    assert choice.precision == "bf16"
    assert said[0].startswith("int8 is not tried: nothing shows")
    with pytest.raises(EngineBuildError, match=r"int8 cannot be built for small: .*pass --gate DIR"):
        climb(make_order(precision="int8", calibration=own), network)


def test_a_precision_of_another_target_is_refused(make_order: MakeOrder, network: Network) -> None:
    with pytest.raises(EngineBuildError, match="got precision fp16 for cpu; it has int8, bf16, fp32"):
        climb(make_order(precision="fp16"), network)
    with pytest.raises(EngineBuildError, match="got precision bf16 for tensorrt_rtx; it has int8, fp16, fp32"):
        climb(make_order(precision="bf16", target="tensorrt_rtx"), network)


def test_bounds_are_those_that_are_promised() -> None:
    assert {name: (b.mean_difference, b.mean_iou) for name, b in BOUNDS.items() if name != "fp32"} == {
        "fp16": (1.0, 0.995),
        "bf16": (1.0, 0.99),
        "int8": (3.0, 0.98),
    }
