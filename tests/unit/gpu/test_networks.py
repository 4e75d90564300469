"""Both networks of the course make the same masks in INT8: the wide one by the small one's calibration."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from alphacut_engines import half_rounding
from alphacut_engines.reference import Reference


@pytest.mark.slow
@pytest.mark.parametrize("name", ["u2netp", "u2net"])
def test_int8_of_both_networks_passes_the_gate(name: str) -> None:
    from alphacut_gpu import networks

    graph = networks.graph(name, "int8")
    assert sum(node.op_type == "QuantizeLinear" for node in graph.graph.node) > 100
    engine = Reference(half_rounding.emulate(graph), "test")
    assert networks.judge(engine, "int8", 6)["passed"]


def test_a_network_is_optimised_once_for_all_sections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import networks, place

    asked: list[str] = []
    graph = onnx.helper.make_graph([], "small", [], [])
    monkeypatch.setattr(networks, "plain", asked.append)
    monkeypatch.setattr(networks.optimise, "optimise", lambda plain, recipe: onnx.helper.make_model(graph))
    monkeypatch.delenv(place.KEPT, raising=False)
    networks._optimised("u2net")
    monkeypatch.setenv(place.KEPT, str(tmp_path))
    made, again = networks._optimised("u2net"), networks._optimised("u2net")
    assert again == made
    assert asked == ["u2net", "u2net"], "without a folder each time, with one the first time"
    assert [path.name for path in tmp_path.iterdir()] == ["u2net.optimised.onnx"]
