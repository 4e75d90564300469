"""What is used up first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alphacut_loadtest.capacity.trial import Trial
from alphacut_loadtest.measure.stages import by_stage, ensembles

_ALL_OF_A_MACHINE = 0.85
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class StageLoad:
    """One stage of the pipeline at one level of load.

    Attributes:
        queue_s: Mean wait of a request before it.
        compute_s: Mean time of work on a request in it; in a plan, on the whole batch it was in.
        batch: Mean number of requests in a batch.
        cpu_s: Processor seconds a request; 0 where they are not known.
    """

    queue_s: float
    compute_s: float
    batch: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """What saturates.

    Attributes:
        name: ``decode``, ``engine``, ``encode``, ``client``, ``network`` or ``unknown``.
        why: In words, with the numbers behind it.
        stages: Of Triton.
        outside_s: Mean time of a request outside Triton: network, client, and waiting to be let in.
            None where Triton's page is not known.
        cpu_share: Share of this machine's processors that each part used.
    """

    name: str
    why: str
    stages: Mapping[str, StageLoad]
    outside_s: float | None
    cpu_share: Mapping[str, float]


def find(trial: Trial, cores: int) -> Bottleneck:
    """Look for it in a trial near the limit.

    Args:
        trial: What was measured.
        cores: Of the machine that the service's processes run on.
    """
    stages = _stages(trial)
    share = {part: spent / (trial.wall_s * cores) for part, spent in (trial.cpu_s or {}).items() if trial.wall_s}
    entered = ensembles(trial.counters or {})
    inside_s = (
        entered.total_s / entered.succeeded
        if 2 * entered.succeeded > trial.sent  # a gateway asks the engine itself, and only probes the ensemble
        else sum(stage.queue_s + stage.compute_s for stage in stages.values())
    )
    outside_s = max(0.0, trial.window.mean_latency_s - inside_s) if stages else None
    name, why = _verdict(trial, stages, share, outside_s)
    return Bottleneck(name, why, stages, outside_s, share)


def _stages(trial: Trial) -> dict[str, StageLoad]:
    return {
        name: StageLoad(
            queue_s=one.queue_s / one.succeeded,
            compute_s=one.compute_s / one.succeeded,
            batch=one.succeeded / one.executions if one.executions else 0.0,
            cpu_s=(trial.cpu_s or {}).get(name, 0.0) / one.succeeded,
        )
        for name, one in by_stage(trial.counters or {}).items()
        if one.succeeded
    }


def _verdict(
    trial: Trial, stages: Mapping[str, StageLoad], share: Mapping[str, float], outside_s: float | None
) -> tuple[str, str]:
    latency_s = trial.window.mean_latency_s
    if trial.client_limit and sum(stage.queue_s for stage in stages.values()) <= _HALF * latency_s:
        return "client", trial.client_limit
    used = sum(share.values())
    service = {part: one for part, one in share.items() if part in ("decode", "engine", "encode", "gateway", "client")}
    if used > _ALL_OF_A_MACHINE and service:
        most = max(service, key=lambda part: service[part])
        parts = ", ".join(f"{part} {100 * one:.0f} %" for part, one in sorted(share.items(), key=lambda each: -each[1]))
        return most, f"the machine's processors are used up ({100 * used:.0f} %): {parts}"
    if not stages:
        return "unknown", "Triton's page of metrics is not known; name it with --metrics"
    if outside_s is not None and outside_s > _HALF * latency_s:
        spent = f"{1000 * outside_s:.0f} of {1000 * latency_s:.0f} ms"
        return "network", f"{spent} of a request pass outside Triton, in network, client and connections"
    most = max(stages, key=lambda stage: stages[stage].queue_s)
    load = stages[most]
    return most, (
        f"requests pile up before it, for {1000 * load.queue_s:.0f} of {1000 * latency_s:.0f} ms each, and take "
        f"{1000 * load.compute_s:.0f} ms in batches of {load.batch:.1f}"
    )
