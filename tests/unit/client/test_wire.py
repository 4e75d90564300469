"""Requests and answers, byte for byte, without a server."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tritonclient.grpc import service_pb2

from alphacut_client import _wire
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import ContractError
from alphacut_core.options import Options

SIZE = DEFAULT_PIPELINE.size
FILE = b"\x89PNG\x00bytes"


def described(request: Any) -> dict[str, tuple[str, list[int], bytes]]:
    contents = zip(request.inputs, request.raw_input_contents, strict=True)
    return {tensor.name: (tensor.datatype, list(tensor.shape), content) for tensor, content in contents}


def response(**outputs: tuple[str, tuple[int, ...], bytes]) -> Any:
    message = service_pb2.ModelInferResponse(model_name="remove_background")
    for name, (datatype, shape, content) in outputs.items():
        message.outputs.add(name=name, datatype=datatype, shape=shape)
        message.raw_output_contents.append(content)
    return message


MASK = ("UINT8", (1, SIZE, SIZE), bytes(range(256)) * (SIZE * SIZE // 256))
CONFIDENCE = ("FP32", (1, 1), np.float32(0.25).tobytes())


def test_a_file_travels_as_it_is_with_only_the_options_that_change_the_mask() -> None:
    options = Options(decode="fast", color="rembg", background=(1, 2, 3, 4), post_process=True)
    request = _wire.predict_file(DEFAULT_PIPELINE, FILE, options)
    assert request.model_name == "remove_background"
    assert described(request) == {
        "ENCODED": ("UINT8", [1, len(FILE)], FILE),
        "OPTIONS": ("UINT8", [1, 17], b'{"decode":"fast"}'),
    }


def test_a_mask_is_asked_for_without_the_output_that_costs_rendering() -> None:
    request = _wire.predict_file(DEFAULT_PIPELINE, FILE, Options())
    assert [output.name for output in request.outputs] == ["MASK", "CONFIDENCE"]


def test_rendering_on_the_server_sends_every_option_and_keeps_the_engine_in_the_ensemble() -> None:
    options = Options(format="webp", post_process=True)
    request = _wire.render_file(DEFAULT_PIPELINE, FILE, options)
    assert Options.from_wire(described(request)["OPTIONS"][2]) == options
    assert [output.name for output in request.outputs] == ["RENDERED", "CONFIDENCE"]


def test_pixels_go_to_the_engine_itself() -> None:
    square = np.arange(SIZE * SIZE * 3, dtype=np.uint32).astype(np.uint8).reshape(SIZE, SIZE, 3)
    request = _wire.predict_pixels(DEFAULT_PIPELINE, square)
    assert request.model_name == DEFAULT_PIPELINE.engine
    assert described(request) == {"IMAGE": ("UINT8", [1, SIZE, SIZE, 3], square.tobytes())}
    assert [output.name for output in request.outputs] == ["MASK", "CONFIDENCE"]


@pytest.mark.parametrize("names", [("MASK", "CONFIDENCE"), ("CONFIDENCE", "MASK")])
def test_outputs_are_found_by_name_whatever_their_order(names: tuple[str, str]) -> None:
    tensors = {"MASK": MASK, "CONFIDENCE": CONFIDENCE}
    prediction = _wire.read_prediction(response(**{name: tensors[name] for name in names}))
    assert prediction.mask.shape == (SIZE, SIZE)
    assert prediction.mask.tobytes() == MASK[2]
    assert prediction.confidence == 0.25


def test_a_rendered_file_may_have_any_length() -> None:
    assert _wire.read_rendered(response(RENDERED=("UINT8", (1, len(FILE)), FILE))) == FILE


@pytest.mark.parametrize(
    ("mask", "named"),
    [
        pytest.param(("UINT8", (1, 8, 9), bytes(72)), "8 rows of 9; masks are square", id="no square"),
        pytest.param(("UINT8", (1, 0, 0), b""), "0 rows of 0", id="nothing"),
        pytest.param(("UINT8", (SIZE, SIZE), bytes(SIZE * SIZE)), "expects UINT8", id="no batch axis"),
        pytest.param(("FP32", (1, SIZE, SIZE), bytes(4 * SIZE * SIZE)), "as FP32", id="another type"),
        pytest.param(("UINT8", (1, SIZE, SIZE), bytes(7)), "7 bytes", id="too few bytes"),
    ],
)
def test_a_mask_that_is_not_the_contracts_is_refused(mask: tuple[str, tuple[int, ...], bytes], named: str) -> None:
    with pytest.raises(ContractError, match=named):
        _wire.read_prediction(response(MASK=mask, CONFIDENCE=CONFIDENCE))


def test_a_missing_output_is_named_together_with_those_that_came() -> None:
    with pytest.raises(ContractError, match="without CONFIDENCE, only with MASK"):
        _wire.read_prediction(response(MASK=MASK))


def test_an_output_without_raw_bytes_is_refused() -> None:
    message = response()
    message.outputs.add(name="RENDERED", datatype="UINT8", shape=(1, 3))
    with pytest.raises(ContractError, match="RENDERED"):
        _wire.read_rendered(message)
