"""How a request gets to the server: what users of both kinds share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from alphacut_loadtest.generator.outcome import Outcome
from alphacut_loadtest.traffic.corpus import Ask


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; ``words`` of the server where it refused."""

    outcome: Outcome
    n_bytes: int
    words: str = ""


class Way(ABC):
    """Connections that all users of a process share; called from many greenlets at once."""

    @abstractmethod
    def send(self, ask: Ask) -> Reply:
        """Send one request and wait for what comes of it; never raises for what a server can do."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections."""
