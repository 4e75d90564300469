"""Each model.py does nothing but carry tensors to core and errors to Triton."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from alphacut_core import codec, geometry, steps
from alphacut_core.errors import AlphacutError, ContractError, ImageTooLargeError, InvalidOptionError
from alphacut_core.limits import DEFAULT_LIMITS
from alphacut_core.options import Options


@pytest.fixture
def preprocess(load: Callable[..., Any]) -> Iterator[Any]:
    adapter = load("preprocess")
    yield adapter
    adapter.finalize()


@pytest.fixture
def postprocess(load: Callable[..., Any]) -> Iterator[Any]:
    adapter = load("postprocess")
    yield adapter
    adapter.finalize()


def request(encoded: bytes, options: Options | None = None, **tensors: np.ndarray) -> dict[str, np.ndarray]:
    wire = (options or Options()).to_wire()
    return {
        "ENCODED": np.frombuffer(encoded, np.uint8)[None],
        "OPTIONS": np.frombuffer(wire, np.uint8)[None],
        **tensors,
    }


def error_of(response: Any) -> AlphacutError | None:
    return AlphacutError.from_wire(response.error().message())


def test_preprocess_answers_with_cores_square(preprocess: Any, ask: Callable[..., Any], samples: dict[str, bytes]):
    [response] = ask(preprocess, request(samples["rocket"]))
    [image] = response.output_tensors()
    expected = geometry.to_square(codec.decode(samples["rocket"]), 320)
    assert image.name() == "IMAGE"
    assert np.array_equal(image.as_numpy(), expected[None])


def test_postprocess_answers_with_cores_rendering(postprocess: Any, ask: Callable[..., Any], samples: dict[str, bytes]):
    mask = np.tile(np.arange(256, dtype=np.uint8), (320, 2))[:, :320]
    options = Options(color="rembg")
    [response] = ask(postprocess, request(samples["rocket"], options, MASK=mask[None]))
    [rendered] = response.output_tensors()
    expected = steps.postprocess(samples["rocket"], options, mask, DEFAULT_LIMITS)
    assert rendered.as_numpy().tobytes() == expected


def test_answers_keep_the_order_of_requests_and_failures_their_place(
    preprocess: Any, ask: Callable[..., Any], samples: dict[str, bytes]
):
    names = list(samples)
    requests = [request(samples[name]) for name in names]
    requests.insert(2, request(b"no picture"))
    responses = ask(preprocess, *requests)
    assert [response.error() is None for response in responses] == [index != 2 for index in range(len(requests))]
    del responses[2]
    for name, response in zip(names, responses, strict=True):
        expected = geometry.to_square(codec.decode(samples[name]), 320)
        assert np.array_equal(response.output_tensors()[0].as_numpy()[0], expected)


def test_the_callers_fault_is_an_invalid_argument(
    preprocess: Any, ask: Callable[..., Any], pb_utils: types.ModuleType, samples: dict[str, bytes]
):
    [response] = ask(preprocess, request(samples["cat"]) | {"OPTIONS": np.frombuffer(b"[]", np.uint8)[None]})
    assert response.error().code() == pb_utils.TritonError.INVALID_ARG
    assert isinstance(error_of(response), InvalidOptionError)


def test_limits_come_from_the_configuration(
    load: Callable[..., Any], ask: Callable[..., Any], samples: dict[str, bytes]
):
    adapter = load("preprocess", max_pixels="1000")
    [response] = ask(adapter, request(samples["cat"]))
    adapter.finalize()
    assert isinstance(error_of(response), ImageTooLargeError)


def test_a_configuration_of_another_contract_does_not_load(load: Callable[..., Any]):
    with pytest.raises(ContractError, match="'0'"):
        load("preprocess", contract_version="0")


def test_a_bug_fails_its_own_request_and_is_logged(
    preprocess: Any,
    ask: Callable[..., Any],
    pb_utils: types.ModuleType,
    samples: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
):
    original = geometry.to_square

    def broken(image: Any, size: int) -> Any:
        if image.size == (451, 300):
            raise ZeroDivisionError("planted")
        return original(image, size)

    monkeypatch.setattr(geometry, "to_square", broken)
    bad, good = ask(preprocess, request(samples["cat"]), request(samples["coffee"]))
    assert good.error() is None
    assert bad.error().code() == pb_utils.TritonError.INTERNAL
    assert "planted" in bad.error().message()
    assert "ZeroDivisionError" in pb_utils.Logger.lines[0]


@pytest.mark.triton
def test_the_stand_in_has_the_names_of_the_real_module(pb_utils: types.ModuleType):
    from alphacut_server import environment

    folder = environment.ensure(lambda _line: None).triton / "backends" / "python"
    source = (folder / "triton_python_backend_utils.py").read_text()
    stub = next((folder.parents[1] / "python_backend_stubs").glob("3.11/*")).read_bytes()
    assert "def get_input_tensor_by_name(" in source
    for name in (
        "InferenceResponse",
        "TritonError",
        "Tensor",
        "Logger",
        "output_tensors",
        "as_numpy",
        "INVALID_ARG",
        "get_response_sender",
        "TRITONSERVER_RESPONSE_COMPLETE_FINAL",
    ):
        assert name in source or name.encode() in stub, name
