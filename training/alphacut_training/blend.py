"""A network between the one that training began with and the one that came of it."""

from __future__ import annotations

from alphacut_core.errors import EngineSourceError, InvalidOptionError
from alphacut_training.export import folded_copy
from alphacut_training.network import U2Net


def blend(start: U2Net, trained: U2Net, share: float) -> U2Net:
    """Return a network whose weights lie between two others'.

    Few pictures of few kinds make a network better at these and worse at the rest; on the straight line between before
    and after there are networks that keep most of both (Wortsman et al. 2022, "Robust fine-tuning of zero-shot
    models", CVPR).

    Args:
        start: What training began with.
        trained: What came of it.
        share: How far to go from the one to the other, 0 to 1.

    Raises:
        InvalidOptionError: The share is out of range.
        EngineSourceError: The two have different channels.
    """
    if not 0 <= share <= 1:
        raise InvalidOptionError(f"got share={share}; allowed are 0 to 1")
    before, between = folded_copy(start).state_dict(), folded_copy(trained)
    after = between.state_dict()
    if {name: tensor.shape for name, tensor in before.items()} != {
        name: tensor.shape for name, tensor in after.items()
    }:
        raise EngineSourceError("the two networks have different channels; blend one with what it was trained from")
    between.load_state_dict({name: (1 - share) * before[name] + share * after[name] for name in after})
    return between
