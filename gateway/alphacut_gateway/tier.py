"""Which network answers, and at which size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from alphacut_core.errors import InvalidOptionError
from alphacut_core.tiers import DEFAULT_MODEL, DEFAULT_SIZE, MODES, Mode, size_of

AskedMode = Literal["full", "medium", "lite", "fast"]
"""What callers write; ``fast`` is an everyday name of ``lite``."""


@dataclass(frozen=True, slots=True)
class Tier:
    """A network at one of its sizes, by the names of ``alphacut_core.tiers``."""

    model: str = DEFAULT_MODEL
    mode: Mode = "full"

    @property
    def weight(self) -> float:
        """Work of one inference, as a share of the full tier's: pixels that the network sees."""
        return (size_of(self.mode) / DEFAULT_SIZE) ** 2

    def below(self) -> tuple[Tier, ...]:
        """Return the smaller tiers of the same network, the largest first."""
        return tuple(Tier(self.model, mode) for mode in MODES[MODES.index(self.mode) + 1 :])


def parse(model: str | None, mode: str | None) -> Tier:
    """Read what a caller asks for; nothing asks for the default network's full tier.

    Raises:
        InvalidOptionError: There is no such mode.
    """
    if mode not in (None, "", *get_args(AskedMode)):
        raise InvalidOptionError(f"got mode={str(mode)[:40]!r}; allowed are {', '.join(get_args(AskedMode))}")
    for known in MODES:
        if mode == known:
            return Tier(model or DEFAULT_MODEL, known)
    return Tier(model or DEFAULT_MODEL, "lite" if mode == "fast" else "full")
