"""What the Python models in Triton share: settings from ``config.pbtxt``, errors per request, the lifeline.

Triton's ``triton_python_backend_utils`` exists only inside its stub process, so it comes in as an argument.
"""

from __future__ import annotations

import json
import math
import os
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from alphacut_core import shared_memory
from alphacut_core.contract import LEVEL, WAIT_US, check_version
from alphacut_core.errors import AlphacutError, InvalidOptionError, OverloadedError, reason
from alphacut_core.limits import Limits
from alphacut_core.meter import Meter
from alphacut_core.places import Piece, Places, Turn

LIFELINE_VARIABLE = "ALPHACUT_LIFELINE_FD"
"""Names the file descriptor whose end of file means that nobody supervises this process any more."""

_MAX_MESSAGE_CHARACTERS = 600  # gRPC clients take 8 KiB of metadata, and write some characters as twelve
_SPACE = shared_memory.Space()


@dataclass(frozen=True, slots=True)
class Settings:
    """One model's name, version, share of its ``config.pbtxt``, and where its files lie."""

    model: str
    version: str
    folder: str
    parameters: Mapping[str, str]

    @property
    def limits(self) -> Limits:
        """Bounds on incoming images."""
        return Limits(int(self.parameters["max_bytes"]), int(self.parameters["max_pixels"]))


def start(args: Mapping[str, str]) -> Settings:
    """Check a model's configuration and tie the stub process to its supervisor.

    Args:
        args: What Triton hands to ``TritonPythonModel.initialize``.

    Raises:
        ContractError: The configuration is of another contract version.
    """
    config = json.loads(args["model_config"])
    check_version(config["name"], config.get("parameters", {}))
    _hold_lifeline()
    folder = os.path.join(args["model_repository"], args["model_version"])
    parameters = {name: value["string_value"] for name, value in config["parameters"].items()}
    return Settings(config["name"], args["model_version"], folder, parameters)


def array(pb_utils: Any, request: Any, name: str) -> np.ndarray:
    """Return the tensor ``name`` of a request that carries exactly one image, without the batch axis."""
    values: np.ndarray = pb_utils.get_input_tensor_by_name(request, name).as_numpy()
    if len(values) != 1:
        raise InvalidOptionError(
            f"got {len(values)} images in one request; send one image a request, the server forms the batches"
        )
    image: np.ndarray = values[0]
    return image


class Desk:
    """Works on images side by side and answers each when it is done, whatever batch it came in.

    Args:
        pb_utils: Triton's module.
        settings: The model's.
        handle: Makes one request's output tensors, or raises an ``AlphacutError``.
        n_places: How many requests are worked on at once.
    """

    def __init__(self, pb_utils: Any, settings: Settings, handle: Callable[[Any], list[Any]], n_places: int) -> None:
        self._pb_utils = pb_utils
        self._handle = handle
        self._meter = Meter(pb_utils, settings.model, settings.version)
        self._places: Places[Any] = Places(
            self._serve, self._refuse, self._meter.add, n_places, shared_memory.bytes_of_waiting()
        )

    def take(self, requests: Iterable[Any]) -> None:
        """Begin with every request."""
        for request in requests:
            n_bytes = sum(tensor.as_numpy().nbytes for tensor in request.inputs())
            if wait := wait_of(self._pb_utils, request):
                self._places.add([Piece(request, *wait, n_bytes)])

    def close(self) -> None:
        """Finish what was begun."""
        self._places.close()
        self._meter.close()

    def _serve(self, request: Any, _: Turn) -> None:
        _send(self._pb_utils, request, self._response(request))

    def _response(self, request: Any) -> Any:
        try:
            return self._pb_utils.InferenceResponse(output_tensors=self._handle(request))
        except Exception as error:  # noqa: BLE001  the process boundary: a bug here must not fail the neighbours
            return _failure(self._pb_utils, error)

    def _refuse(self, request: Any, error: OverloadedError) -> None:
        refuse(self._pb_utils, request, error)


def wait_of(pb_utils: Any, request: Any) -> tuple[int, float] | None:
    """Return a request's level and for how many seconds it may wait; where these cannot be read, refuse it."""
    try:
        said = json.loads(request.parameters() or "{}")
        return int(said.get(LEVEL, 1)), int(said[WAIT_US]) / 1e6 if WAIT_US in said else math.inf
    except (TypeError, ValueError) as error:
        refuse(pb_utils, request, InvalidOptionError(f"{LEVEL} and {WAIT_US} are whole numbers: {reason(error)}"))
        return None


def answer(pb_utils: Any, request: Any, tensors: Mapping[str, np.ndarray]) -> None:
    """Answer a request with tensors by name, one row an image."""
    outputs = [pb_utils.Tensor(name, rows) for name, rows in tensors.items()]
    _send(pb_utils, request, pb_utils.InferenceResponse(output_tensors=outputs))


def refuse(pb_utils: Any, request: Any, error: Exception) -> None:
    """Answer a request with an error; what is none of ours is a bug, and is logged with its traceback."""
    _send(pb_utils, request, _failure(pb_utils, error))


def _failure(pb_utils: Any, error: Exception) -> Any:
    if not isinstance(error, AlphacutError):
        pb_utils.Logger.log_error("".join(traceback.format_exception(error)))
        said = f"unexpected {type(error).__name__}: {reason(error)}"
        error = AlphacutError(f"{said}; this is a bug, the server's log has more")
    return pb_utils.InferenceResponse(error=triton_error(pb_utils, error))


def _send(pb_utils: Any, request: Any, response: Any) -> None:
    """Send what there is room for; after a send that failed Triton takes no other, not even an error."""
    n_bytes = sum(tensor.as_numpy().nbytes for tensor in response.output_tensors())
    with _SPACE.promise(n_bytes) as fits:
        try:
            request.get_response_sender().send(
                response if fits else _failure(pb_utils, _no_room(n_bytes)),
                flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL,
            )
        except Exception as error:  # noqa: BLE001  the process boundary: the neighbours' answers are still to be sent
            pb_utils.Logger.log_error(f"an answer of {n_bytes:,} bytes is lost, its caller waits in vain: {error}")


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


def _hold_lifeline() -> None:
    """End this process when its supervisor is gone, however it went.

    Triton's stubs outlive a server that was killed. The supervisor holds the other end of a pipe; the kernel
    closes it even after SIGKILL.
    """
    descriptor = os.environ.get(LIFELINE_VARIABLE)
    if descriptor is None:
        return

    def wait() -> None:
        os.read(int(descriptor), 1)
        os._exit(1)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
