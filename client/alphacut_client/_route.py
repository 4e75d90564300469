"""How one image travels, as opposed to what is made of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from reprlib import repr as brief
from typing import Any, Literal, get_args

from alphacut_client._kinds import RETURNS, Channels, Returns
from alphacut_core import checks, deadlines
from alphacut_core.errors import InvalidOptionError
from alphacut_core.options import Options
from alphacut_core.tiers import DEFAULT_MODEL, MODES, Mode

Upload = Literal["encoded", "pixels", "auto"]
"""Who decodes an image file: the server (``encoded``), the caller (``pixels``), or whoever suits (``auto``)."""

Priority = Literal["interactive", "bulk"]
"""``bulk`` waits in the server's queues until nothing interactive does."""

_WORDS: dict[str, tuple[str, ...]] = {
    "mode": MODES,
    "upload": get_args(Upload),
    "priority": get_args(Priority),
    "channels": get_args(Channels),
}
_LEVELS: dict[Priority, int] = {"interactive": 1, "bulk": 2}


@dataclass(frozen=True, slots=True)
class Route:
    """One image's way to a mask.

    Attributes:
        model: Name of the network, as ``Client.models`` lists it.
        mode: Its tier.
        upload: Who decodes image files.
        timeout_s: Deadline of one attempt in seconds, 0.05 to 86,400.
        priority: Which lane of the server's queues.
        returns: The kind of image that comes out; None is the kind that went in.
        channels: The order of an array's channels, in and out.
    """

    model: str = DEFAULT_MODEL
    mode: Mode = "full"
    upload: Upload = "encoded"
    timeout_s: float = 60.0
    priority: Priority = "interactive"
    returns: Returns = None
    channels: Channels = "rgb"

    def __post_init__(self) -> None:
        for name, allowed in _WORDS.items():
            checks.choice(name, getattr(self, name), allowed)
        if not isinstance(self.model, str):
            raise InvalidOptionError(f"got model={brief(self.model)}; give a network's name, as Client.models lists it")
        if not any(self.returns is kind for kind in RETURNS):  # an array equals nothing, in one word
            raise InvalidOptionError(
                f"got returns={brief(self.returns)}; allowed are bytes, PIL.Image.Image, numpy.ndarray and None, the "
                "kind that went in"
            )
        checks.keep(self, timeout_s=deadlines.check_timeout(self.timeout_s))

    @property
    def level(self) -> int:
        """The lane as the server's steps count: 1 goes first."""
        return _LEVELS[self.priority]


_NAMES = frozenset(field.name for field in dataclasses.fields(Route))


def split(default: Route, keywords: Mapping[str, Any], **fixed: Any) -> tuple[Route, Options]:
    """Part a call's keywords into its way and its wishes.

    Args:
        default: The client's own way.
        keywords: What the caller gave.
        **fixed: Wishes that the method implies.

    Raises:
        InvalidOptionError: A value that is not allowed.
    """
    route = {name: value for name, value in keywords.items() if name in _NAMES}
    wishes = {name: value for name, value in keywords.items() if name not in _NAMES}
    return (dataclasses.replace(default, **route) if route else default), Options(**wishes, **fixed)
