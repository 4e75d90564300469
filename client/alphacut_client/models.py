"""Which networks a server serves, at which tiers, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tritonclient.grpc import service_pb2

from alphacut_client._steps import Steps, ask
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.tiers import DEFAULT_MODEL, DEFAULT_SIZE, MODES, Mode


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A network at one tier, ready to be named in ``model=`` and ``mode=``.

    Attributes:
        model: Name of the network.
        mode: The tier.
        size: Side of the network's square in pixels, and of its masks.
        precision: What the engine computes in, such as ``int8``; None where the server does not say.
        licence: Of the weights, as an SPDX expression.
        mean_difference: Mean |Δ| of 255 between its masks and those of the full tier in FP32, as measured when the
            engine was built; None where it was not.
        mean_iou: Mean intersection over union at 128, against the same.
        time_ms: Median milliseconds of one picture alone through the engine, on ``machine``.
        machine: The processor that the time was measured on.
        facts: All that the server says, by the names that ``model_repository/README.md`` lists.
    """

    model: str
    mode: Mode
    size: int
    precision: str | None
    licence: str | None
    mean_difference: float | None
    mean_iou: float | None
    time_ms: float | None
    machine: str | None
    facts: Mapping[str, str] = field(repr=False)

    @classmethod
    def from_facts(cls, facts: Mapping[str, str]) -> InstalledModel:
        """Read the parameters of an ensemble and its engine; an older repository has few."""
        told = facts.get("tier")
        return cls(
            model=facts.get("model", DEFAULT_MODEL),
            mode=next((mode for mode in MODES if mode == told), "full"),
            size=int(facts.get("size", DEFAULT_SIZE)),
            precision=facts.get("precision"),
            licence=facts.get("licence"),
            mean_difference=_number(facts, "mean_difference"),
            mean_iou=_number(facts, "mean_iou"),
            time_ms=_number(facts, "time_ms"),
            machine=facts.get("machine"),
            facts=facts,
        )


def installed(timeout_s: float) -> Steps:
    """Ask what is served: a tuple of ``InstalledModel``, by network and from the largest tier to the smallest."""
    index = yield from ask("RepositoryIndex", service_pb2.RepositoryIndexRequest(ready=True), timeout_s)
    names = {model.name for model in index.models}
    found: list[InstalledModel] = []
    for name in sorted(names):
        if name.startswith(DEFAULT_PIPELINE.ensemble):
            facts = yield from _parameters(name, timeout_s)
            engine = facts.get("engine", DEFAULT_PIPELINE.engine)
            if engine in names:
                found.append(InstalledModel.from_facts({**facts, **(yield from _parameters(engine, timeout_s))}))
    return tuple(sorted(found, key=lambda one: (one.model != DEFAULT_MODEL, one.model, -one.size)))


def _parameters(model: str, timeout_s: float) -> Steps:
    answer = yield from ask("ModelConfig", service_pb2.ModelConfigRequest(name=model), timeout_s)
    return _read_parameters(answer)


def _read_parameters(answer: Any) -> dict[str, str]:
    return {name: value.string_value for name, value in answer.config.parameters.items()}


def _number(facts: Mapping[str, str], name: str) -> float | None:
    return float(facts[name]) if name in facts else None
