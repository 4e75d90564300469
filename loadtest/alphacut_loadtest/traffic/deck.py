"""Draws that keep to their shares even in short runs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Generic, TypeVar

_CARDS = 50
_Value = TypeVar("_Value")


class Deck(Generic[_Value]):
    """Fifty cards, shuffled and dealt again and again.

    Independent draws would give a run of two hundred requests a fifth more or fewer large pictures by chance, and
    capacity with it. What is left of a card goes to a value at random, so that no share is rounded away.

    Args:
        shares: Value to its share; only proportions count.
        rng: Where randomness comes from.
    """

    def __init__(self, shares: Mapping[_Value, float], rng: random.Random) -> None:
        total = sum(shares.values())
        self._cards = {value: _CARDS * share / total for value, share in shares.items()}
        self._rng = rng
        self._hand: list[_Value] = []

    def draw(self) -> _Value:
        """Return the next value."""
        if not self._hand:
            whole = [value for value, cards in self._cards.items() for _ in range(int(cards))]
            parts = {value: cards - int(cards) for value, cards in self._cards.items()}
            missing = _CARDS - len(whole)
            rest = self._rng.choices(list(parts), list(parts.values()), k=missing) if missing else []
            self._hand = [*whole, *rest]
            self._rng.shuffle(self._hand)
        return self._hand.pop()
