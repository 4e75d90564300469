"""What OpenVINO is asked to compute in follows from what the processor has."""

from __future__ import annotations

import pytest

from alphacut_engines import processor
from alphacut_engines.target import TARGETS

SAPPHIRE_RAPIDS = "avx512_vnni avx512_bf16 amx_tile amx_bf16 amx_int8"
CASCADE_LAKE = "avx512f avx512_vnni"
ALDER_LAKE = "avx2 avx_vnni"
SKYLAKE = "avx2 avx512f"


def have(monkeypatch: pytest.MonkeyPatch, flags: str) -> None:
    monkeypatch.setattr(processor, "_property", {"flags": flags, "model name": "any"}.__getitem__)


@pytest.mark.parametrize(
    ("flags", "precisions"),
    [
        (SAPPHIRE_RAPIDS, ["int8", "bf16", "fp32"]),
        ("amx_tile amx_int8 amx_bf16", ["int8", "bf16", "fp32"]),
        (CASCADE_LAKE, ["int8", "fp32"]),
        (ALDER_LAKE, ["int8", "fp32"]),
        (SKYLAKE, ["fp32"]),
        ("", ["fp32"]),
    ],
)
def test_precisions_are_those_that_the_processor_is_fast_in(
    monkeypatch: pytest.MonkeyPatch, flags: str, precisions: list[str]
) -> None:
    have(monkeypatch, flags)
    cpu = TARGETS["cpu"]
    assert [rung for rung in cpu.rungs if cpu.lacking(rung) is None] == precisions


@pytest.mark.parametrize(("flags", "rest"), [(SAPPHIRE_RAPIDS, "bf16"), (CASCADE_LAKE, "f32"), (SKYLAKE, "f32")])
def test_what_int8_leaves_out_is_bf16_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, flags: str, rest: str
) -> None:
    have(monkeypatch, flags)
    assert TARGETS["cpu"].compile_options("int8") == {"INFERENCE_PRECISION_HINT": rest}
    assert TARGETS["cpu"].compile_options("fp32") == {"INFERENCE_PRECISION_HINT": "f32"}
    assert TARGETS["cpu"].compile_options("bf16") == {"INFERENCE_PRECISION_HINT": "bf16"}


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, SKYLAKE)
    assert processor.lacking("bf16") == "this processor has none of amx_bf16, avx512_bf16"
    assert processor.lacking("int8") == "this processor has none of amx_int8, avx512_vnni, avx_vnni"
