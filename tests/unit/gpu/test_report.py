"""Numbers become verdicts only where a GPU computed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

RIGHT = {"parity": {"passed": True}}


def found(**serving: Any) -> dict[str, Any]:
    batch = {"32": {"images_per_s": 4000.0, "time_ms": 8.0}}
    return {
        "tensorrt_rtx": {
            "engines": [{"network": "u2net", "precision": "fp16", "for": "CURRENT", "batches": batch, **RIGHT}]
        },
        "serving": {
            **{"runtime": "TensorRT-RTX", "network": "u2net", "precision": "fp16", "on_gpu": True},
            "kept": {"p95 under 0.1 s": 900.0},
            "one_caller": {"images_per_s": 90, "latency_ms": {"p50": 11.0}},
            "callers": {"8": {"images_per_s": 700.0}, "32": {"images_per_s": 2100.0}},
            **serving,
        },
    }


def verdicts(of: dict[str, Any]) -> list[str]:
    from alphacut_gpu import targets

    return [one.verdict for one in targets.judge(of)]


def test_each_target_is_held_against_its_own_number() -> None:
    assert verdicts(found()) == ["met", "missed", "met", "met"]
    assert verdicts(found(kept={"p95 under 0.1 s": None})) == ["met", "missed", "met", "met"]
    assert verdicts(found(callers={"8": {"images_per_s": 1999.0}}))[3] == "missed"


def test_what_a_processor_computes_says_nothing_about_a_gpu() -> None:
    assert verdicts(found(on_gpu=False)) == ["met", "not run", "not run", "not run"]
    assert verdicts({}) == ["not run"] * 4


def test_the_small_network_is_no_share_of_the_full_one() -> None:
    assert verdicts(found(network="u2netp"))[3] == "not run"


def test_the_fastest_engine_counts_and_is_named() -> None:
    from alphacut_gpu import targets

    of = found()
    of["torch_yardstick"] = {"networks": {"u2net": {"batches": {"32": {"images_per_s": 5000.0}}, **RIGHT}}}
    assert (targets.judge(of)[0].measured, targets.judge(of)[0].by) == (5000.0, "PyTorch")
    of["torch_compiled"] = {"batches": {"32": {"images_per_s": 6000.0}}, **RIGHT}
    assert (targets.judge(of)[0].measured, targets.judge(of)[0].by) == (6000.0, "PyTorch, compiled")


def test_an_engine_whose_masks_are_wrong_meets_no_target() -> None:
    from alphacut_gpu import targets

    of = found()
    of["torch_compiled"] = {"batches": {"32": {"images_per_s": 9000.0}}, "parity": {"passed": False}}
    assert targets.judge(of)[0].measured == 4000.0


def test_a_setting_that_the_server_refused_is_told_in_its_words() -> None:
    from alphacut_gpu import report
    from alphacut_gpu.course import RAN, Outcome
    from alphacut_gpu.sections import SECTIONS

    asked = {"gpu_use": 0.5, "images_per_s": 90.0, "latency_ms": {"p50": 11.0, "p95": 12.0}, "good": 1.0}
    of = found(one_caller=asked, callers={"8": asked}, settings={"2 engines": {"refused": "out of memory"}})["serving"]
    page = report.markdown([Outcome(SECTIONS[-1], RAN, "", 1.0, of)], "today")
    assert "| 8 callers | 90 | 11 | 12 | 100.0% | 50% |" in page
    assert "| 2 engines |  |  |  | out of memory |  |" in page


def test_what_was_timed_before_an_engine_failed_is_told_with_the_reason() -> None:
    from alphacut_gpu import report
    from alphacut_gpu.course import FAILED, Outcome
    from alphacut_gpu.sections import SECTIONS

    half = {"batches": {"32": {"images_per_s": 4000.0, "time_ms": 8.0}}, "refused": "OutOfMemoryError:\n  at 64 | more"}
    outcome = Outcome(SECTIONS[1], FAILED, "", 1.0, {"networks": {"u2net": half}})
    page = report.markdown([outcome], "today")
    assert "| PyTorch | u2net | fp16 | 32 | 8 | 4,000 |" in page
    assert "| PyTorch | u2net | fp16 |  |  |  | OutOfMemoryError: at 64 ∣ more |" in page


def test_an_engine_that_did_not_start_is_told_above_the_one_that_is_served() -> None:
    from alphacut_gpu import report
    from alphacut_gpu.course import RAN, Outcome
    from alphacut_gpu.sections import SECTIONS

    of = {"runtime": "OpenVINO", "network": "u2netp", "precision": "int8", "refused": {"PyTorch": "no libtorch.so"}}
    page = report.markdown([Outcome(SECTIONS[-1], RAN, "", 1.0, of)], "today")
    assert "| PyTorch |  |  |  | no libtorch.so |  |" in page


@pytest.mark.parametrize("name", ["u2netp", "u2net"])
def test_the_arithmetic_is_that_of_the_networks_convolutions(name: str) -> None:
    from alphacut_gpu import floor, networks

    graph = onnx.shape_inference.infer_shapes(networks.plain(name)).graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    shapes = {one.name: [dim.dim_value for dim in one.type.tensor_type.shape.dim] for one in graph.value_info}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    flop = sum(2 * np.prod(shapes[node.output[0]][2:]) * weights[node.input[1]].size for node in convolutions)
    assert floor.FLOP[name] == pytest.approx(flop, rel=0.01)


def test_a_share_is_what_the_ceiling_allows() -> None:
    from alphacut_gpu import floor

    ceiling = 700e12
    assert floor.share("u2net", floor.images_per_s("u2net", ceiling) / 2, ceiling) == pytest.approx(0.5)


def test_the_page_names_the_bottleneck_and_marks_what_is_computed() -> None:
    from alphacut_gpu import report
    from alphacut_gpu.course import RAN, Outcome
    from alphacut_gpu.sections import SECTIONS

    from .test_bottleneck import FOUND

    outcomes = [Outcome(one, RAN, "", 1.0, FOUND.get(one.name, {})) for one in SECTIONS]
    page = report.markdown(outcomes, "today")
    assert "## What limits it" in page
    assert "the bottleneck is decoding" in page
    assert "- Decoding on the GPU: Computed, not measured: DALI" in page
    written = report.as_dict(outcomes)
    assert written["bottlenecks"][0]["limits"][0]["stage"] == "decoding"
    assert written["decoding_on_gpu"]["decoder"] == "DALI"


def test_what_was_found_is_written_though_nothing_can_be_concluded_from_it(tmp_path: Path) -> None:
    from alphacut_gpu import report
    from alphacut_gpu.course import RAN, Outcome
    from alphacut_gpu.sections import SECTIONS

    odd = found(callers={"8": {}}, one_caller={"latency_ms": None})["serving"]
    report.write([Outcome(SECTIONS[-1], RAN, "", 1.0, odd)], tmp_path)
    written = json.loads((tmp_path / "gpu.json").read_text())
    assert written["sections"]["serving"]["found"] == odd
    assert written["targets"].startswith("cannot be concluded: AttributeError")
    assert "of which no page could be made" in (tmp_path / "gpu.md").read_text()
