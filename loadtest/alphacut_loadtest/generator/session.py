"""What all users of one Locust process share while a test runs."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from heapq import merge
from pathlib import Path
from typing import Any

import gevent
from gevent.pool import Pool

from alphacut_loadtest.generator.grpc_way import GrpcWay
from alphacut_loadtest.generator.http_way import MAX_CONNECTIONS, HttpWay
from alphacut_loadtest.generator.outcome import Outcome
from alphacut_loadtest.generator.records import Recorder
from alphacut_loadtest.generator.way import Reply, Way
from alphacut_loadtest.traffic.arrivals import poisson
from alphacut_loadtest.traffic.corpus import Ask, Asks, Corpus
from alphacut_loadtest.traffic.scenario import Lane, Scenario, Stage, protocol_of

_LOOK_EVERY_S = 0.1


class WrongEndError(Exception):
    """How Locust is told that a request did not end as it should; its text is what Locust groups by."""


class Session:
    """One process' share of a test.

    Args:
        environment: Locust's.
        scenario: What to send.
        corpora: Files by lane, made beforehand.
        url: Where to; its scheme chooses how.
        rate_per_s: What a stage's rate of 1 stands for, in all processes together.
        sources: How many processes there are.
        seed: Of all randomness; processes add their own number.
        records: Folder for what was seen, or None.
    """

    def __init__(
        self,
        environment: Any,
        scenario: Scenario,
        corpora: dict[str, Corpus],
        url: str,
        *,
        rate_per_s: float,
        sources: int,
        seed: int,
        records: Path | None,
    ) -> None:
        protocol = protocol_of(url)
        self.scenario = dataclasses.replace(scenario, protocol=protocol)  # which refuses what this front does not take
        self._events = environment.events
        self._rate_per_s = rate_per_s / sources
        number = getattr(environment.runner, "worker_index", 0)
        self._seed = f"{seed}/{number}"
        self._corpora = corpora
        self._way: Way = (HttpWay if protocol == "gateway" else GrpcWay)(url, scenario.timeout_s)
        self._asks: dict[str, Asks] = {lane.name: corpora[lane.name].asks(self._rng(lane)) for lane in scenario.lanes}
        self.pool = Pool(MAX_CONNECTIONS)
        self.recorder = Recorder(records)
        self._plans = 0
        self._looker = gevent.spawn(self._look)

    def arrivals(self) -> Iterator[tuple[float, Lane]]:
        """Yield when to send, in seconds from the start, and for which lane; another plan at every call."""
        plan = self._plans = self._plans + 1

        def of(lane: Lane) -> Iterator[tuple[float, int, Lane]]:
            number = self.scenario.lanes.index(lane)
            stages = [Stage(stage.duration_s, stage.rate * lane.share) for stage in self.scenario.stages]
            times = poisson(stages, self._rate_per_s, self._rng(lane, f"arrivals {plan}"))
            return ((at_s, number, lane) for at_s in times)

        return ((at_s, lane) for at_s, _, lane in merge(*map(of, self.scenario.open_lanes)))

    def arrive(self, lane: Lane, intended_s: float) -> None:
        """Send a request without waiting for it, unless far too many are under way."""
        ask = next(self._asks[lane.name])
        if self.pool.free_count() > 0:
            self.pool.spawn(self.call, lane, ask, intended_s)
            return
        now_s = self.recorder.now_s()
        self._keep(lane, ask, (intended_s, now_s, now_s), Reply(Outcome.UNSENT, 0))

    def ask_again(self, lane: Lane) -> None:
        """Send a request of a closed lane and wait for it."""
        self.call(lane, next(self._asks[lane.name]), self.recorder.now_s())

    def call(self, lane: Lane, ask: Ask, intended_s: float) -> None:
        """Send a request and keep what became of it."""
        sent_s = self.recorder.now_s()
        self.recorder.in_flight += 1
        try:
            reply = self._way.send(ask)
        except Exception as error:  # noqa: BLE001  whatever it is, no request may vanish from the books
            reply = Reply(Outcome.FAILED, 0, f"{type(error).__name__}: {error}")
        finally:
            self.recorder.in_flight -= 1
        self._keep(lane, ask, (intended_s, sent_s, self.recorder.now_s()), reply)

    def close(self) -> None:
        """End what is under way, close the connections and finish the records."""
        self.pool.kill()
        self._looker.kill()
        self._way.close()
        self.recorder.close()

    def _keep(self, lane: Lane, ask: Ask, times_s: tuple[float, float, float], reply: Reply) -> None:
        expected = Outcome.REJECTED if ask.corrupt else Outcome.ANSWERED
        words = "" if reply.outcome is expected else reply.words
        self.recorder.call(self.scenario.lanes.index(lane), ask, times_s, reply.outcome, words)
        tier = "" if ask.mode == "full" else f" {ask.mode}"
        self._events.request.fire(
            request_type="http" if self.scenario.protocol == "gateway" else "grpc",
            name=f"{lane.name}: {'corrupt' if ask.corrupt else ask.answer}{tier}",
            response_time=1000 * (times_s[2] - times_s[0]),
            response_length=reply.n_bytes,
            exception=None if reply.outcome is expected else WrongEndError(reply.outcome.value),
            context={},
        )

    def _look(self) -> None:
        while True:
            self.recorder.look()
            gevent.sleep(_LOOK_EVERY_S)

    def _rng(self, lane: Lane, what: str = "asks") -> random.Random:
        return random.Random(f"{self._seed}/{lane.name}/{what}")  # noqa: S311  repeatable on purpose
