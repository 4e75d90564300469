"""The wire contract as data."""

from __future__ import annotations

import pytest

from alphacut_core.contract import ANY_MASK, CONTRACT_VERSION, DEFAULT_PIPELINE, Pipeline, TensorSpec, check_version
from alphacut_core.errors import ContractError


def test_the_same_version_passes() -> None:
    check_version("preprocess", {"contract_version": {"string_value": CONTRACT_VERSION}})


@pytest.mark.parametrize("parameters", [{}, {"contract_version": {"string_value": "0"}}, {"contract_version": {}}])
def test_another_version_or_none_is_refused_with_both_sides_named(parameters: dict[str, dict[str, str]]) -> None:
    with pytest.raises(ContractError, match=f"model 'preprocess' is configured for .* speaks '{CONTRACT_VERSION}'"):
        check_version("preprocess", parameters)


def test_what_a_step_takes_some_earlier_step_gives() -> None:
    ensemble, *steps = DEFAULT_PIPELINE.models()
    known = set(ensemble.inputs)
    for step in steps:
        for wanted in step.inputs:
            assert any(_fits(given, wanted) for given in known), wanted
        known |= set(step.outputs)
    assert set(ensemble.outputs) <= known


def _fits(given: TensorSpec, wanted: TensorSpec) -> bool:
    """Say whether a tensor may go where another is declared; -1 takes any length."""
    same = (given.name, given.datatype, len(given.dims)) == (wanted.name, wanted.datatype, len(wanted.dims))
    return same and all(want in (-1, got) for got, want in zip(given.dims, wanted.dims, strict=True))


@pytest.mark.parametrize("size", [160, 320, 1024])
def test_a_pipeline_of_another_size_differs_in_image_and_mask_alone(size: int) -> None:
    pipeline = Pipeline("a", "b", "c", "d", size)
    assert [model.name for model in pipeline.models()] == ["a", "b", "c", "d"]
    *others, postprocess = pipeline.models()
    shapes = {tensor.name: tensor.dims for model in others for tensor in model.inputs + model.outputs}
    assert ANY_MASK in postprocess.inputs, "one step renders the masks of all sizes"
    assert shapes["IMAGE"] == (size, size, 3)
    assert shapes["MASK"] == (size, size)
    assert shapes["CONFIDENCE"] == (1,)
    assert {shapes[name] for name in ("ENCODED", "OPTIONS", "RENDERED")} == {(-1,)}
