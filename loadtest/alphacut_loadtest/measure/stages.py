"""What Triton's models are to an operator."""

from __future__ import annotations

from collections.abc import Mapping

from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_loadtest.measure.triton import Counters

STAGES = ("decode", "engine", "encode")


def stage_of(model: str) -> str | None:
    """Return ``decode``, ``engine`` or ``encode``; None for ensembles, whose steps those are."""
    if model.startswith(DEFAULT_PIPELINE.ensemble):
        return None
    if model.startswith(DEFAULT_PIPELINE.preprocess):
        return "decode"
    return "encode" if model.startswith(DEFAULT_PIPELINE.postprocess) else "engine"


def by_stage(counters: Mapping[str, Counters]) -> dict[str, Counters]:
    """Add up models of one stage."""
    stages: dict[str, Counters] = {}
    for model, one in counters.items():
        stage = stage_of(model)
        if stage is not None:
            sofar = stages.get(stage, Counters())
            stages[stage] = Counters(*(getattr(sofar, name) + getattr(one, name) for name in Counters.__slots__))
    return {stage: stages[stage] for stage in STAGES if stage in stages}


def ensembles(counters: Mapping[str, Counters]) -> Counters:
    """Add up what entered by an ensemble."""
    entered = [one for model, one in counters.items() if stage_of(model) is None]
    return Counters(*(sum(getattr(one, name) for one in entered) for name in Counters.__slots__))
