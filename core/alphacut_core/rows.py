"""An engine in a Python model: rows of squares in, rows of masks out, side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from alphacut_core import shared_memory
from alphacut_core.adapter import Settings
from alphacut_core.contract import TensorSpec
from alphacut_core.errors import OverloadedError
from alphacut_core.meter import Meter
from alphacut_core.places import Piece, Places, Turn
from alphacut_core.replies import Replies


class Rows:
    """Gives every row of a request a place, and answers the request when the last of them is done.

    Args:
        pb_utils: Triton's module.
        settings: The model's.
        image: What a row takes.
        outputs: What it becomes, with the type of each.
        infer: Turns one row, (1, ...) as ``image`` says, into arrays (1, ...) by the names of ``outputs``. It is told
            whether the row is alone: nothing else is worked on or waits.

    Attributes:
        grow: Works on so many rows at once from now on; at first it is one.
    """

    def __init__(
        self,
        pb_utils: Any,
        settings: Settings,
        image: TensorSpec,
        outputs: Mapping[TensorSpec, type[Any]],
        infer: Callable[[np.ndarray, bool], Mapping[str, np.ndarray]],
    ) -> None:
        self._pb_utils = pb_utils
        self._image = image
        self._outputs = outputs
        self._infer = infer
        self._replies = Replies(pb_utils, settings)
        self._meter = Meter(pb_utils, settings.model, settings.version)
        self._places: Places[tuple[_Answer, int]] = Places(
            self._do, self._refuse, self._meter.add, 1, shared_memory.bytes_of_waiting(), leaves_alone=True
        )
        self.grow = self._places.grow

    def take(self, requests: Iterable[Any]) -> None:
        """Begin with every request."""
        rows: list[Piece[tuple[_Answer, int]]] = []
        for request in requests:
            if wait := self._replies.wait_of(request):
                images = self._pb_utils.get_input_tensor_by_name(request, self._image.name).as_numpy()
                made = {spec.name: np.empty((len(images), *spec.dims), kind) for spec, kind in self._outputs.items()}
                answer = _Answer(self._replies, request, images, made)
                rows.extend(Piece((answer, row), *wait, image.nbytes) for row, image in enumerate(images))
        self._places.add(rows)

    def close(self) -> None:
        """Finish what was begun."""
        self._places.close()
        self._meter.close()
        self._replies.close()

    def _do(self, place: tuple[_Answer, int], turn: Turn) -> None:
        answer, row = place
        try:
            for name, made in self._infer(answer.images[row : row + 1], turn.alone).items():
                answer.tensors[name][row] = made[0]
        except Exception as error:  # noqa: BLE001  the process boundary: nobody else would answer
            answer.error = error
        answer.row_is_done()

    def _refuse(self, place: tuple[_Answer, int], error: OverloadedError) -> None:
        answer, _ = place
        answer.error = error
        answer.row_is_done()


class _Answer:
    """The answer to a request of several rows, which become ready one by one and in any order.

    Attributes:
        images: What came in.
        tensors: Name to array, one row an image; to be filled.
        error: What is answered instead, if anything went wrong.
    """

    def __init__(self, replies: Replies, request: Any, images: np.ndarray, tensors: Mapping[str, np.ndarray]) -> None:
        self.images = images
        self.tensors = tensors
        self.error: Exception | None = None
        self._replies = replies
        self._request = request
        self._missing = len(images)
        self._lock = threading.Lock()

    def row_is_done(self) -> None:
        """Count a row that is filled or failed; the last one sends the answer."""
        with self._lock:
            self._missing -= 1
            if self._missing:
                return
        if self.error is None:
            self._replies.answer(self._request, self.tensors)
        else:
            self._replies.refuse(self._request, self.error)
