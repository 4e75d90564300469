"""The adapter of TensorRT-RTX without a GPU: its way of work with stand-ins, its names against the real bindings."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import re
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import json_format

from alphacut_core import cuda, lane, tiers
from alphacut_core.errors import AlphacutError, EngineError
from alphacut_engines import configs
from tests.adapters.cuda_double import FAILURE, SIZE, Context, Cuda
from tests.unit.core.triton import Answered, Triton

ADAPTER = Path(__file__).resolve().parents[2] / "model_repository" / "u2netp" / "1" / "tensorrt_rtx.py"


class Refusal:
    INTERNAL, INVALID_ARG, UNAVAILABLE, UNSUPPORTED = range(4)

    def __init__(self, message: str, code: int) -> None:
        self.message, self.code = message, code


class Request(Answered):
    def __init__(self, images: np.ndarray) -> None:
        super().__init__()
        self.images = images


@pytest.fixture
def triton(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    module = types.SimpleNamespace(
        TRITONSERVER_RESPONSE_COMPLETE_FINAL=1,
        Tensor=lambda name, values: types.SimpleNamespace(name=name, values=values, as_numpy=lambda: values),
        InferenceResponse=lambda output_tensors=None, error=None: types.SimpleNamespace(
            tensors={tensor.name: tensor.values for tensor in output_tensors or ()},
            error=error,
            output_tensors=lambda: output_tensors or [],
        ),
        get_input_tensor_by_name=lambda request, name: types.SimpleNamespace(as_numpy=lambda: request.images),
        Logger=types.SimpleNamespace(log_error=lambda line: None),
        TritonError=Refusal,
        MetricFamily=Triton().MetricFamily,
    )
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", module)
    return module


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    library = Cuda()
    monkeypatch.setattr(cuda, "load", lambda: library)
    return library


@pytest.fixture
def engine(gpu: Cuda, monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """An engine in the place of TensorRT-RTX's; ``contexts`` are those that it made."""
    made = types.SimpleNamespace(contexts=[], create_runtime_config=types.SimpleNamespace)

    def create(settings: Any) -> Context:
        assert settings.cuda_graph_strategy == "captured"
        made.contexts.append(Context(gpu))
        return made.contexts[-1]

    made.create_execution_context = create
    made.loaded = lambda content: made
    module = types.SimpleNamespace(
        Logger=type("Logger", (), {"WARNING": 1, "__init__": lambda self, level: None}),
        Runtime=lambda log: types.SimpleNamespace(deserialize_cuda_engine=made.loaded),
        CudaGraphStrategy=types.SimpleNamespace(WHOLE_GRAPH_CAPTURE="captured"),
    )
    monkeypatch.setitem(sys.modules, "tensorrt_rtx_bindings", module)
    return made


@pytest.fixture
def load(triton: Any, engine: Any, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    loaded = []
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "manifest.json").write_text(json.dumps({"size": SIZE}))
    (tmp_path / "1" / "model.engine").write_bytes(b"an engine")

    def load() -> Any:
        spec = importlib.util.spec_from_file_location("tensorrt_rtx_adapter", ADAPTER)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        config = json_format.MessageToDict(configs.rtx_engine(tiers.pipeline()), preserving_proto_field_name=True)
        arguments = {"model_config": json.dumps(config), "model_instance_device_id": "1"}
        loaded.append(module.TritonPythonModel())
        loaded[-1].initialize({**arguments, "model_repository": str(tmp_path), "model_version": "1"})
        return loaded[-1]

    yield load
    for adapter in loaded:
        if hasattr(adapter, "workers"):
            adapter.finalize()


def pictures(seed: int, rows: int = 1) -> Request:
    return Request(np.random.default_rng(seed).integers(0, 256, (rows, SIZE, SIZE, 3), dtype=np.uint8))


def assert_right(request: Request) -> None:
    answer = request.wait()
    assert answer.error is None
    assert np.array_equal(answer.tensors["MASK"], request.images[..., 0])
    assert np.allclose(answer.tensors["CONFIDENCE"][:, 0], request.images[:, 0, 0, 0] / 255)


def test_every_request_of_a_batch_gets_its_own_rows(load, engine) -> None:
    requests = [pictures(0), pictures(1, rows=3), pictures(2)]
    load().execute(requests)
    for request in requests:
        assert_right(request)
    assert [batch for context in engine.contexts for batch in context.batches] == [5]


def test_batches_follow_one_another_in_two_lanes(load, engine) -> None:
    adapter = load()
    batches = [[pictures(10 * i + j) for j in range(1 + i % 16)] for i in range(40)]
    for batch in batches:
        adapter.execute(batch)
    for request in (request for batch in batches for request in batch):
        assert_right(request)
    assert len(engine.contexts) == 2
    assert sorted(batch for context in engine.contexts for batch in context.batches) == sorted(map(len, batches))


def test_triton_is_kept_waiting_while_both_lanes_are_taken_and_forms_a_larger_batch_meanwhile(load, gpu) -> None:
    adapter = load()
    gpu.goes_on.clear()
    first, second = pictures(0), pictures(1)
    adapter.execute([first])  # returns: the other lane is free
    waiting = threading.Thread(target=adapter.execute, args=[[second]])
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    assert not first.answered.is_set()
    gpu.goes_on.set()
    waiting.join(60)
    assert not waiting.is_alive()
    assert_right(first)
    assert_right(second)


def test_every_thread_works_on_the_gpu_that_triton_chose(load, gpu) -> None:
    adapter = load()
    requests = [pictures(0), pictures(1)]
    for request in requests:
        adapter.execute([request])
        request.wait()
    assert set(gpu.devices) == {1}
    assert len(gpu.devices) >= 2


def test_a_batch_that_the_gpu_fails_is_refused_in_its_words_and_the_lane_goes_on(load, gpu) -> None:
    adapter = load()
    gpu.failing = True
    failed = [pictures(0), pictures(1)]
    adapter.execute(failed)
    for request in failed:
        assert FAILURE.decode() in request.wait().error.message
        assert isinstance(AlphacutError.from_wire(request.wait().error.message), EngineError)
    gpu.failing = False
    after = [pictures(i) for i in range(4)]
    for request in after:
        adapter.execute([request])
        assert_right(request)


def test_a_bug_leaves_no_request_without_an_answer(load, engine) -> None:
    adapter = load()
    for context in engine.contexts:
        context.execute_async_v3 = lambda stream: {}["nothing"]
    request = pictures(0)
    adapter.execute([request])
    assert "unexpected KeyError" in request.wait().error.message


def test_an_engine_that_does_not_load_is_named_with_the_gpu(load, engine) -> None:
    engine.loaded = lambda content: None
    with pytest.raises(EngineError, match="does not load this engine on this GPU"):
        load()


def test_the_configuration_selects_the_adapter_and_batches_of_sixteen() -> None:
    config = configs.rtx_engine(tiers.pipeline())
    assert (config.backend, config.default_model_filename) == ("python", ADAPTER.name)
    assert config.max_batch_size == 16
    assert [sample.batch_size for sample in config.model_warmup] == [1, 8, 16]
    assert config.HasField("dynamic_batching")


def test_every_name_of_tensorrt_rtx_is_in_the_real_bindings() -> None:
    trt = pytest.importorskip("tensorrt_rtx_bindings", reason="TensorRT-RTX has packages for x86-64 Linux only")
    kinds = (trt.Runtime, trt.ICudaEngine, trt.IExecutionContext, trt.IRuntimeConfig)
    used = {"deserialize_cuda_engine", "create_runtime_config", "create_execution_context", "cuda_graph_strategy"}
    used |= {"set_tensor_address", "set_input_shape", "execute_async_v3"}
    written = ADAPTER.read_text() + inspect.getsource(lane)
    for name in used:
        assert re.search(rf"\.{name}\b", written), f"{name} is not used any more"
        assert any(hasattr(kind, name) for kind in kinds), name
    for node in ast.walk(ast.parse(written)):
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("trt."):
            value: Any = trt
            for part in ast.unparse(node).split(".")[1:]:
                value = getattr(value, part)
    assert "runtime_config: tensorrt_rtx_bindings.tensorrt_rtx.IRuntimeConfig" in (
        trt.ICudaEngine.create_execution_context.__doc__
    )
    assert "stream_handle" in trt.IExecutionContext.execute_async_v3.__doc__


def test_an_engine_of_the_wrong_tensors_is_refused(gpu: Cuda) -> None:
    context = Context(gpu)
    context.set_tensor_address = lambda name, address: name == "IMAGE"
    with pytest.raises(EngineError, match="no tensor MASK"):
        lane.Lane(gpu, context, SIZE, 1)
