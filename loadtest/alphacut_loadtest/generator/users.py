"""Locust's users: two kinds of arriving, two fronts."""

from __future__ import annotations

import gevent
from locust import User, constant, task

from alphacut_loadtest.generator.session import Session
from alphacut_loadtest.traffic.scenario import Lane


def session_of(user: User) -> Session:
    """Return what the user shares with all others of its process."""
    session: Session = user.environment.alphacut_session
    return session


class _Arrivals(User):
    """Not one visitor but the door: sends each request at its time, however many are under way.

    Locust's own waiting times start when an answer is there: a slow server then is asked less often, and the requests
    that would have suffered are never sent (coordinated omission). So a request's time is counted from its place in
    the plan. As many such users as processes: rates of independent Poisson processes add up.
    """

    abstract = True
    wait_time = constant(0)

    def on_start(self) -> None:
        self._session = session_of(self)
        self._plan = self._session.arrivals()

    @task
    def wait_and_send(self) -> None:
        following = next(self._plan, None)
        if following is None:
            gevent.sleep(0.2)  # what is under way still comes in; the shape ends the test
            return
        intended_s, lane = following
        gevent.sleep(max(0.0, intended_s - self._session.recorder.now_s()))
        self._session.arrive(lane, intended_s)

    def on_stop(self) -> None:
        self._session.pool.join(self._session.scenario.timeout_s)


class _Caller(User):
    """A caller who asks again once it is answered."""

    abstract = True
    wait_time = constant(0)

    def on_start(self) -> None:
        self._session = session_of(self)
        lanes = self._session.scenario.lanes
        self._lane: Lane = self._session.scenario.closed_lane or lanes[0]

    @task
    def ask(self) -> None:
        self._session.ask_again(self._lane)


class GrpcArrivals(_Arrivals):
    """Open lanes, to Triton."""


class HttpArrivals(_Arrivals):
    """Open lanes, to the gateway."""


class GrpcCaller(_Caller):
    """A caller of Triton's."""


class HttpCaller(_Caller):
    """A caller of the gateway's."""
