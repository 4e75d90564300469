"""What Locust is given with ``-f``: its options, its users, the shape of a scenario."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

import gevent
import grpc.experimental.gevent
import locust
from locust import LoadTestShape, events
from locust.runners import MasterRunner

from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest.generator.session import Session
from alphacut_loadtest.generator.users import GrpcArrivals, GrpcCaller, HttpArrivals, HttpCaller
from alphacut_loadtest.traffic import scenario_file
from alphacut_loadtest.traffic.corpus import Corpus
from alphacut_loadtest.traffic.scenario import Scenario, protocol_of

__all__ = ["GrpcArrivals", "GrpcCaller", "HttpArrivals", "HttpCaller", "Plan"]

_DEFAULT_URL = "grpc://127.0.0.1:8001"
_START_S = 1.0  # by which those that send may start their clock after this one, and still send all of their plan
_FREE = "smoke"  # whose requests callers send where no scenario is named


def add_options(parser: Any) -> None:
    """Say what this test can be told beyond Locust's own options."""
    group = parser.add_argument_group("Alphacut", "Addresses are grpc://HOST:PORT, or http://HOST:PORT of a gateway.")
    group.add_argument(
        "--scenario", default="", help="Name or TOML file; without one, -u callers send what smoke does."
    )
    group.add_argument("--rate", type=rate, default=5.0, help="Requests a second that a scenario's rate 1 stands for.")
    group.add_argument("--images", default="", help="Folder of image files to send instead of those that are made.")
    group.add_argument("--cache", default="", help="Existing folder that keeps what is made.")
    group.add_argument("--records", default="", help="Existing folder for a line on every request.")
    group.add_argument("--seed", type=int, default=0, help="Of all randomness.")


def rate(text: str) -> float:
    """Read a number of requests a second; Locust ends with status 2 where it is none that can be sent."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"got {text!r}; give a finite number of requests a second above 0")
    return number


def prepare(environment: Any, **_: Any) -> None:
    """Tell gRPC of gevent, and make the pictures before the clock runs."""
    # Locust has patched the standard library by now; without this, one gRPC call that waits would stop all greenlets.
    # Not earlier: with --processes Locust forks between loading this file and here.
    grpc.experimental.gevent.init_gevent()
    environment.alphacut_made = {}
    if not environment.host:
        environment.host = _DEFAULT_URL
    if not isinstance(environment.runner, MasterRunner):
        corpora(environment, scenario_of(environment))


def start(environment: Any, **_: Any) -> None:
    """Open connections; the seconds of the plan count from here."""
    if isinstance(environment.runner, MasterRunner):
        return
    options = environment.parsed_options
    scenario = scenario_of(environment)
    try:
        environment.alphacut_session = Session(
            environment,
            scenario,
            corpora(environment, scenario),
            environment.host,
            rate_per_s=options.rate,
            sources=max(1, options.expect_workers),
            seed=options.seed,
            records=Path(options.records) if options.records else None,
        )
    except InvalidOptionError as error:  # which Locust would log, and then start users without a session
        raise SystemExit(f"error: {error}") from error


def stop(environment: Any, **_: Any) -> None:
    """Close connections: Locust would wait for an open gRPC channel for ever."""
    session = vars(environment).pop("alphacut_session", None)
    if session is not None:
        session.close()


def scenario_of(environment: Any) -> Scenario:
    """Return the scenario that was named; one that cannot be used ends Locust with its reason."""
    try:
        return scenario_file.load(environment.parsed_options.scenario or _FREE)
    except InvalidOptionError as error:
        raise SystemExit(f"error: {error}") from error


def corpora(environment: Any, scenario: Scenario) -> dict[str, Corpus]:
    """Return the files of each lane, made at the first call."""
    options = environment.parsed_options
    images, cache = (Path(name) if name else None for name in (options.images, options.cache))

    def make() -> dict[str, Corpus]:
        return {lane.name: Corpus(lane.mix, images, cache) for lane in scenario.lanes}

    key = f"{scenario.name} {images}"
    if key not in environment.alphacut_made:
        # In a real thread: a worker that computes for seconds misses heartbeats, and its master gives it up.
        environment.alphacut_made[key] = gevent.get_hub().threadpool.spawn(make)
    made: dict[str, Corpus] = environment.alphacut_made[key].get()
    return made


_hooks: Any = events  # whose methods have no types
_hooks.init_command_line_parser.add_listener(add_options)
_hooks.init.add_listener(prepare)
_hooks.test_start.add_listener(start)
_hooks.test_stop.add_listener(stop)


class Plan(LoadTestShape):
    """As many users as the scenario has, for as long as it lasts; without a scenario, what Locust itself is told."""

    use_common_options = True

    def tick(self) -> tuple[int, float, list[type[locust.User]] | None] | None:
        """Say how many of which users there are to be; None ends the test."""
        run_time_s = time.perf_counter() - self.start_time
        environment = self.runner.environment if self.runner else None
        options = environment.parsed_options if environment else None
        if environment is None or options is None:
            return None
        http = protocol_of(environment.host or "") == "gateway"
        arrivals, caller = (HttpArrivals, HttpCaller) if http else (GrpcArrivals, GrpcCaller)
        if not options.scenario:
            over = options.run_time and run_time_s > options.run_time
            return None if over else (options.num_users or 1, options.spawn_rate or 1, [caller])
        scenario = scenario_of(environment)
        if run_time_s > scenario.duration_s + _START_S:
            return None
        arrivals.fixed_count = max(1, options.expect_workers) if scenario.open_lanes else 0
        closed = scenario.closed_lane
        caller.fixed_count = closed.callers if closed else 0
        users = arrivals.fixed_count + caller.fixed_count
        return users, users, [user for user in (arrivals, caller) if user.fixed_count]
