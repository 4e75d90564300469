"""Both networks of the course make the same masks in INT8: the wide one by the small one's calibration."""

from __future__ import annotations

import pytest

from alphacut_engines import half_rounding
from alphacut_engines.reference import Reference

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["u2netp", "u2net"])
def test_int8_of_both_networks_passes_the_gate(name: str) -> None:
    from alphacut_gpu import networks

    graph = networks.graph(name, "int8")
    assert sum(node.op_type == "QuantizeLinear" for node in graph.graph.node) > 100
    engine = Reference(half_rounding.emulate(graph), "test")
    assert networks.judge(engine, "int8", 6)["passed"]
