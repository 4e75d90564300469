"""Which engines of a model repository are served: all that are built, or those that were chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alphacut_core import installed, tiers
from alphacut_core.errors import ServerStartError
from alphacut_core.installed import Installed
from alphacut_core.tiers import MODES


@dataclass(frozen=True, slots=True)
class Wish:
    """What to serve.

    Attributes:
        models: Names of networks; none means all.
        tiers: Names of tiers; none means all.
    """

    models: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()

    def covers(self, model: str, tier: str) -> bool:
        """Return whether a tier of a network is meant."""
        return (not self.models or model in self.models) and (not self.tiers or tier in self.tiers)


def find(repository: Path, wish: Wish) -> list[Installed]:
    """Return the engines to serve, the default network's first.

    Raises:
        ServerStartError: There is none, or a network that was named has none.
    """
    built = list(installed.find_all(repository))
    engines = [engine for engine in built if wish.covers(engine.manifest["slot"], engine.manifest["tier"])]
    missing = sorted(set(wish.models) - {engine.manifest["slot"] for engine in engines})
    if missing or not engines:
        what = f"no built engine of {', '.join(missing)}" if missing else "no built engine"
        names = ", ".join(engine.engine for engine in built) or "nothing"
        raise ServerStartError(f"there is {what} for this machine in {repository} ({names} is); run: alphacut build")
    return engines


def left_out(engines: Sequence[Installed], wish: Wish) -> list[str]:
    """Return the names of engines that are meant and not built: further tiers of the networks that are served."""
    served = {engine.engine for engine in engines}
    return [
        name
        for slot in dict.fromkeys(engine.manifest["slot"] for engine in engines)
        for mode in MODES
        if wish.covers(slot, mode) and (name := tiers.pipeline(slot, mode).engine) not in served
    ]
