"""Requests and answers as protobuf messages: pure functions, so that every kind of client can share them.

The messages are built here instead of through ``tritonclient.grpc.InferenceServerClient``: the stub's futures
can be waited for, cancelled and, in an asynchronous client, awaited, with the same requests and answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from tritonclient.grpc import service_pb2

from alphacut_core import subject
from alphacut_core.contract import (
    ANY_MASK,
    CONFIDENCE,
    ENCODED,
    LEVEL,
    OPTIONS,
    RENDERED,
    WAIT_US,
    Pipeline,
    TensorSpec,
    image_spec,
)
from alphacut_core.errors import ContractError
from alphacut_core.geometry import Pixels
from alphacut_core.options import Options

_WIRE_DTYPES: dict[str, np.dtype[Any]] = {"UINT8": np.dtype("u1"), "FP32": np.dtype("<f4")}
_QUEUE_SHARE = 0.4  # of the deadline: there are two queues on the way to a mask, and then there is work to do
_REMEDY = "use the client and the model repository of one release"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the network says about one picture.

    Attributes:
        mask: uint8 (S, S), 0 background to 255 subject, stretched to the full range.
        confidence: Maximum before the stretch, 0 to 1; near 0 the picture may have no subject at all.

    Example:
        >>> seen = client.predict("photo.jpg")
        >>> doubtful = seen.confidence < 0.5 or seen.uncertainty > 0.3
    """

    mask: Pixels
    confidence: float

    @property
    def coverage(self) -> float:
        """Share of the picture that the mask calls subject, 0 to 1; measured on ``mask``, after the stretch."""
        return subject.coverage(self.mask)

    @property
    def uncertainty(self) -> float:
        """How undecided the mask is, 0 to 1: 0 all black and white, 1 all grey; measured on ``mask``."""
        return subject.uncertainty(self.mask)


def predict_file(pipeline: Pipeline, data: bytes, options: Options) -> service_pb2.ModelInferRequest:
    """Ask the ensemble for the mask of an image file.

    Only the options that change the mask travel, and the output that costs rendering is not requested.
    """
    request = _file_request(pipeline, data, Options(decode=options.decode))
    return _requesting(request, ANY_MASK, CONFIDENCE)


def render_file(pipeline: Pipeline, data: bytes, options: Options) -> service_pb2.ModelInferRequest:
    """Ask the ensemble for the finished, encoded picture of an image file."""
    # Without CONFIDENCE Triton would prune the engine's step; see the contract.
    return _requesting(_file_request(pipeline, data, options), RENDERED, CONFIDENCE)


def predict_pixels(pipeline: Pipeline, square: Pixels) -> service_pb2.ModelInferRequest:
    """Ask the engine itself for the mask of a picture that is already decoded and resized.

    Args:
        pipeline: Names of the models.
        square: uint8 (S, S, 3) RGB, C-contiguous.
    """
    request = service_pb2.ModelInferRequest(model_name=pipeline.engine)
    _add_input(request, image_spec(pipeline.size), square.shape, square.tobytes())
    return _requesting(request, ANY_MASK, CONFIDENCE)


def read_prediction(response: service_pb2.ModelInferResponse) -> Prediction:
    """Read mask and confidence; the mask's size is the server's to choose.

    Raises:
        ContractError: They are missing, or of another type or shape.
    """
    mask = _read_output(response, ANY_MASK)[0]
    height, width = mask.shape
    if height != width or not height:
        got = f"model {response.model_name!r} answered {ANY_MASK.name} with {height} rows of {width}"
        raise ContractError(f"{got}; masks are square; {_REMEDY}")
    return Prediction(mask, read_confidence(response))


def read_confidence(response: service_pb2.ModelInferResponse) -> float:
    """Read the confidence, 0 to 1.

    Raises:
        ContractError: It is missing, or of another type or shape.
    """
    return float(_read_output(response, CONFIDENCE)[0, 0])


def read_rendered(response: service_pb2.ModelInferResponse) -> bytes:
    """Read the encoded picture.

    Raises:
        ContractError: It is missing, or of another type or shape.
    """
    return _read_output(response, RENDERED).tobytes()


def _file_request(pipeline: Pipeline, data: bytes, options: Options) -> service_pb2.ModelInferRequest:
    request = service_pb2.ModelInferRequest(model_name=pipeline.ensemble)
    wishes = options.to_wire()
    _add_input(request, ENCODED, (len(data),), data)
    _add_input(request, OPTIONS, (len(wishes),), wishes)
    return request


def _add_input(
    request: service_pb2.ModelInferRequest, spec: TensorSpec, shape: tuple[int, ...], content: bytes
) -> None:
    request.inputs.add(name=spec.name, datatype=spec.datatype, shape=(1, *shape))
    request.raw_input_contents.append(content)


def queue(request: service_pb2.ModelInferRequest, *, level: int, timeout_s: float) -> service_pb2.ModelInferRequest:
    """Say how a request is to wait before the server's steps.

    Args:
        request: Changed and returned.
        level: Its lane, 1 going first; engines on a GPU have none.
        timeout_s: Deadline of the call. Each step refuses the request after so long a wait that it could hardly be
            answered in time, instead of working for a caller who is gone.
    """
    if level > 1:  # 1 is every step's default
        request.parameters[LEVEL].int64_param = level
    request.parameters[WAIT_US].int64_param = round(_QUEUE_SHARE * timeout_s * 1e6)
    return request


def _requesting(request: service_pb2.ModelInferRequest, *outputs: TensorSpec) -> service_pb2.ModelInferRequest:
    for spec in outputs:
        request.outputs.add(name=spec.name)
    return request


def _read_output(response: service_pb2.ModelInferResponse, spec: TensorSpec) -> np.ndarray:
    """Return one output, batch axis of 1 in front; a read-only view of the message."""
    # Triton answers in an order of its own. Contents of a typed field instead of raw bytes read as missing.
    for output, content in zip(response.outputs, response.raw_output_contents, strict=False):
        if output.name == spec.name:
            return _tensor(response.model_name, output, content, spec)
    raise ContractError(
        f"model {response.model_name!r} answered without {spec.name}, only with "
        f"{', '.join(output.name for output in response.outputs) or 'nothing'}; {_REMEDY}"
    )


def _tensor(model: str, output: Any, content: bytes, spec: TensorSpec) -> np.ndarray:
    dtype = _WIRE_DTYPES[spec.datatype]
    shape = tuple(output.shape)
    expected = (1, *spec.dims)
    fits = len(shape) == len(expected) and all(want in (-1, got) for want, got in zip(expected, shape, strict=True))
    if not fits or output.datatype != spec.datatype or len(content) != math.prod(shape) * dtype.itemsize:
        raise ContractError(
            f"model {model!r} answered {spec.name} as {output.datatype} {list(shape)} in {len(content):,} bytes; "
            f"this client expects {spec.datatype} {list(expected)}; {_REMEDY}"
        )
    return np.frombuffer(content, dtype).reshape(shape)
