"""Answers of the Python models: tensors or an error, each within the shared memory that there is."""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Mapping
from typing import Any

import numpy as np

from alphacut_core import shared_memory
from alphacut_core.adapter import Settings
from alphacut_core.contract import LEVEL, WAIT_US
from alphacut_core.counter import Counter
from alphacut_core.errors import AlphacutError, InvalidOptionError, OverloadedError, reason

ANSWERS = "alphacut_answers"
"""A counter of requests on Triton's page of metrics, by ``model``, ``version`` and ``status``: OK, or gRPC's name.

Triton counts a request of a Python model as a success when the model has taken it, whatever is answered later.
"""

OK = "OK"

_MAX_MESSAGE_CHARACTERS = 600  # gRPC clients take 8 KiB of metadata, and write some characters as twelve
_SPACE = shared_memory.Space()


class Replies:
    """Answers the requests of one model, and counts them.

    Args:
        pb_utils: Triton's module.
        settings: The model's.
    """

    def __init__(self, pb_utils: Any, settings: Settings) -> None:
        self._pb_utils = pb_utils
        about = "Requests that a Python model answered"
        self._answers = Counter(pb_utils, ANSWERS, about, settings.model, settings.version)
        self._answers.add(0.0, status=OK)  # on the page from the start, for whoever takes differences

    def wait_of(self, request: Any) -> tuple[int, float] | None:
        """Return a request's level and for how many seconds it may wait; where these cannot be read, refuse it."""
        try:
            said = json.loads(request.parameters() or "{}")
            return int(said.get(LEVEL, 1)), int(said[WAIT_US]) / 1e6 if WAIT_US in said else math.inf
        except (TypeError, ValueError) as error:
            self.refuse(request, InvalidOptionError(f"{LEVEL} and {WAIT_US} are whole numbers: {reason(error)}"))
            return None

    def answer(self, request: Any, tensors: Mapping[str, np.ndarray]) -> None:
        """Answer a request with arrays by name, one row an image."""
        self.send(request, [self._pb_utils.Tensor(name, rows) for name, rows in tensors.items()])

    def send(self, request: Any, outputs: list[Any]) -> None:
        """Answer a request with Triton's tensors."""
        self._send(request, self._pb_utils.InferenceResponse(output_tensors=outputs), OK)

    def refuse(self, request: Any, error: Exception) -> None:
        """Answer a request with an error; what is none of ours is a bug, and is logged with its traceback."""
        known = self._known(error)
        self._send(request, self._failure(known), known.grpc_status)

    def close(self) -> None:
        """Give the counter back, before Triton ends the process."""
        self._answers.close()

    def _send(self, request: Any, response: Any, status: str) -> None:
        """Send what there is room for; after a send that failed Triton takes no other, not even an error."""
        n_bytes = sum(tensor.as_numpy().nbytes for tensor in response.output_tensors())
        with _SPACE.promise(n_bytes) as fits:
            if not fits:
                no_room = _no_room(n_bytes)
                response, status = self._failure(no_room), no_room.grpc_status
            try:
                request.get_response_sender().send(response, flags=self._pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
            except Exception as error:  # noqa: BLE001  the process boundary: the neighbours' answers are still to be sent
                lost = f"an answer of {n_bytes:,} bytes is lost, its caller waits in vain: {error}"
                self._pb_utils.Logger.log_error(lost)
                status = AlphacutError.grpc_status
        self._answers.add(1.0, status=status)

    def _known(self, error: Exception) -> AlphacutError:
        if isinstance(error, AlphacutError):
            return error
        self._pb_utils.Logger.log_error("".join(traceback.format_exception(error)))
        said = f"unexpected {type(error).__name__}: {reason(error)}"
        return AlphacutError(f"{said}; this is a bug, the server's log has more")

    def _failure(self, error: AlphacutError) -> Any:
        return self._pb_utils.InferenceResponse(error=triton_error(self._pb_utils, error))


def _no_room(n_bytes: int) -> OverloadedError:
    return OverloadedError(
        f"got an answer of {n_bytes:,} bytes, for which the server has no room in {shared_memory.FOLDER}; try again "
        "later, ask for a smaller picture or format, or give the server more (--shm-size of a container)"
    )


def triton_error(pb_utils: Any, error: AlphacutError) -> Any:
    """Translate an error to Triton's, keeping its class in the message, and no more of that than clients can take."""
    codes = {
        "INVALID_ARGUMENT": pb_utils.TritonError.INVALID_ARG,
        "UNAVAILABLE": pb_utils.TritonError.UNAVAILABLE,
        "UNIMPLEMENTED": pb_utils.TritonError.UNSUPPORTED,
    }
    message = error.to_wire()[:_MAX_MESSAGE_CHARACTERS]
    return pb_utils.TritonError(message, codes.get(error.grpc_status, pb_utils.TritonError.INTERNAL))
