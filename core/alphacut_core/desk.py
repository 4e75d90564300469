"""A step in a Python model: one request in, one answer out, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from alphacut_core import shared_memory
from alphacut_core.adapter import Settings
from alphacut_core.errors import OverloadedError
from alphacut_core.meter import Meter
from alphacut_core.places import Piece, Places, Turn
from alphacut_core.replies import Replies


class Desk:
    """Works on images side by side and answers each when it is done, whatever batch it came in.

    Args:
        pb_utils: Triton's module.
        settings: The model's.
        handle: Makes one request's output tensors, or raises an ``AlphacutError``.
        n_places: How many requests are worked on at once.
    """

    def __init__(self, pb_utils: Any, settings: Settings, handle: Callable[[Any], list[Any]], n_places: int) -> None:
        self._handle = handle
        self._replies = Replies(pb_utils, settings)
        self._meter = Meter(pb_utils, settings.model, settings.version)
        self._places: Places[Any] = Places(
            self._serve, self._refuse, self._meter.add, n_places, shared_memory.bytes_of_waiting()
        )

    def take(self, requests: Iterable[Any]) -> None:
        """Begin with every request."""
        for request in requests:
            n_bytes = sum(tensor.as_numpy().nbytes for tensor in request.inputs())
            if wait := self._replies.wait_of(request):
                self._places.add([Piece(request, *wait, n_bytes)])

    def close(self) -> None:
        """Finish what was begun."""
        self._places.close()
        self._meter.close()
        self._replies.close()

    def _serve(self, request: Any, _: Turn) -> None:
        try:
            outputs = self._handle(request)
        except Exception as error:  # noqa: BLE001  the process boundary: a bug here must not fail the neighbours
            self._replies.refuse(request, error)
        else:
            self._replies.send(request, outputs)

    def _refuse(self, request: Any, error: OverloadedError) -> None:
        self._replies.refuse(request, error)
