"""Forks: gRPC survives one only while nothing is under way, and a child must not touch its parent's channels."""

from __future__ import annotations

import os
from typing import Any, Protocol
from weakref import WeakSet

_LONGEST_HOLD_S = 10.0


class Forkable(Protocol):
    """What has to know of forks."""

    def hold(self, longest_s: float) -> None:
        """Let nothing new begin, and wait so long until nothing is under way."""

    def release(self) -> None:
        """Let calls begin again, in the parent."""

    def inherit(self) -> None:
        """Forget the parent's locks and channel, in the child."""


_LIVE: WeakSet[Any] = WeakSet()


def watch(connection: Forkable) -> None:
    """Tell ``connection`` of forks for as long as it lives."""
    _LIVE.add(connection)


def _hold() -> None:
    # Forked with a call under way, gRPC skips its own handlers, and one child in seven dies of a segmentation fault.
    for connection in list(_LIVE):
        connection.hold(_LONGEST_HOLD_S)


def _release() -> None:
    for connection in list(_LIVE):
        connection.release()


def _inherit() -> None:
    for connection in list(_LIVE):
        connection.inherit()


os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_inherit)
