"""What saturates, told from processors where they are known and from queues where they are not."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from alphacut_loadtest.capacity import bottleneck
from alphacut_loadtest.capacity.trial import Trial
from alphacut_loadtest.measure.triton import Counters

CORES = 2


@pytest.fixture
def trial(queue_server: Any) -> Trial:
    """Twenty servers, nearly idle: no queue, and a mean latency of 50 ms, all of it inside Triton."""
    answered: Trial = queue_server(20, 20.0).open(10.0, seed=1)
    return answered


def step(trial: Trial, wait_s: float) -> Counters:
    """A step that takes a millisecond."""
    n = trial.sent
    return Counters(succeeded=n, executions=n, queue_s=wait_s * n, compute_s=0.001 * n, total_s=(wait_s + 0.001) * n)


def with_steps(trial: Trial, **waits_s: float) -> Trial:
    steps = {name: step(trial, wait_s) for name, wait_s in waits_s.items()}
    return dataclasses.replace(trial, counters={**(trial.counters or {}), **steps})


def found(trial: Trial) -> bottleneck.Bottleneck:
    return bottleneck.find(trial, CORES)


def test_a_machine_of_which_nothing_is_left_is_used_up_by_its_busiest_part(trial: Trial) -> None:
    spent = {"decode": 0.2, "engine": 0.5, "triton": 0.15, "client": 0.1}
    cpu_s = {part: share * CORES * trial.wall_s for part, share in spent.items()}
    busy = dataclasses.replace(with_steps(trial, preprocess=0.5, u2netp=0.0), cpu_s=cpu_s)
    assert found(busy).name == "engine"
    assert "engine 50 %" in found(busy).why
    assert found(busy).cpu_share["decode"] == pytest.approx(0.2)
    assert found(busy).stages["engine"].cpu_s == pytest.approx(cpu_s["engine"] / trial.sent)


@pytest.mark.parametrize(("waits_s", "name"), [((0.9, 0.1), "decode"), ((0.1, 0.9), "engine")])
def test_elsewhere_the_longest_queue_tells(trial: Trial, waits_s: tuple[float, float], name: str) -> None:
    preprocess_s, engine_s = waits_s
    assert found(with_steps(trial, preprocess=preprocess_s, u2netp=engine_s)).name == name


def test_tiers_of_a_network_are_one_stage(trial: Trial) -> None:
    assert set(found(with_steps(trial, preprocess=0.0, preprocess_160=0.0, u2netp=0.0, u2netp_lite=0.1)).stages) == {
        "decode",
        "engine",
    }


def test_a_late_client_is_blamed_where_nothing_waits_in_the_server(trial: Trial) -> None:
    late = dataclasses.replace(trial, client_limit="requests were sent late")
    assert found(with_steps(late, preprocess=0.01, u2netp=0.01)).name == "client"
    # A quick step waits longer for its batch than it takes, which must not clear the client.
    assert found(with_steps(late, preprocess=0.03, u2netp=0.01)).name == "decode"


def test_time_that_passes_outside_triton_is_the_networks(trial: Trial) -> None:
    quick = Counters(succeeded=trial.sent, executions=trial.sent, total_s=0.01 * trial.sent)
    far = with_steps(dataclasses.replace(trial, counters={"remove_background": quick}), preprocess=0.0, u2netp=0.001)
    assert found(far).name == "network"
    assert found(far).outside_s == pytest.approx(trial.window.mean_latency_s - 0.01)


def test_behind_a_gateway_that_asks_the_engine_itself_probes_of_the_ensemble_tell_nothing(trial: Trial) -> None:
    probes = {"remove_background": Counters(succeeded=3, executions=3, total_s=0.1)}
    direct = with_steps(dataclasses.replace(trial, counters=probes), u2netp=0.039)
    assert found(direct).outside_s == pytest.approx(trial.window.mean_latency_s - 0.04)
    assert found(direct).name == "engine"


def test_without_tritons_page_nothing_is_claimed(trial: Trial) -> None:
    blind = found(dataclasses.replace(trial, counters=None))
    assert (blind.name, blind.outside_s) == ("unknown", None)
    assert "--metrics" in blind.why
