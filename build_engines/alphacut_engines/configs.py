"""Triton's configuration of every model and tier: one definition, written as protobuf's own text.

No model has priorities or time limits in Triton's queue: with either, requests wait beside an idle model for up to half
a second. Those of steps in Python count in ``alphacut_core.places``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2
from tritonclient.grpc.model_config_pb2 import ModelConfig, ModelInstanceGroup

from alphacut_core.contract import (
    CONFIDENCE,
    CONTRACT_VERSION,
    ENCODED,
    OPTIONS,
    RENDERED,
    ModelSpec,
    Pipeline,
    TensorSpec,
    image_spec,
    mask_spec,
)
from alphacut_core.errors import EngineBuildError
from alphacut_core.limits import DEFAULT_LIMITS

ENGINE_BATCH = 16
ADAPTER, RTX_ADAPTER = "model.py", "tensorrt_rtx.py"
"""Files of the Python backend: Triton's own default, and the one of TensorRT-RTX beside it."""

_STEP_BATCH = 8
_GPU_INSTANCES = 2
_GPU_QUEUE_DELAY_US = 2000
_HEADER = "# Written by build_engines/alphacut_engines/configs.py; edits are lost at the next `alphacut build`.\n"


def ensemble(pipeline: Pipeline, model: str, tier: str) -> ModelConfig:
    """Return the configuration of a whole pipeline.

    Triton skips steps whose outputs nobody asked for: whoever requests MASK and CONFIDENCE never pays for
    rendering.

    Args:
        pipeline: Names and size.
        model: What the caller calls the network.
        tier: What the caller calls the size.
    """
    config = _config(_spec(pipeline, pipeline.ensemble), _STEP_BATCH, platform="ensemble")
    size = pipeline.size
    image, mask = image_spec(size).name, mask_spec(size).name
    source = {ENCODED.name: ENCODED.name, OPTIONS.name: OPTIONS.name}
    _step(config, pipeline.preprocess, source, {image: "image"})
    _step(config, pipeline.engine, {image: "image"}, {mask: mask, CONFIDENCE.name: CONFIDENCE.name})
    _step(config, pipeline.postprocess, {**source, mask: mask}, {RENDERED.name: RENDERED.name})
    _state(config, {"model": model, "tier": tier, "engine": pipeline.engine, "size": str(size)})
    return config


def preprocess(pipeline: Pipeline) -> ModelConfig:
    """Return the configuration of the step that decodes: files of all lengths share a batch."""
    config = _python_step(_spec(pipeline, pipeline.preprocess))
    _state(config, {"size": str(pipeline.size)})
    return config


def postprocess(pipeline: Pipeline) -> ModelConfig:
    """Return the configuration of the step that renders, the same for all pipelines."""
    return _python_step(_spec(pipeline, pipeline.postprocess))


def gpu_engine(pipeline: Pipeline) -> ModelConfig:
    """Return the configuration of an engine on a GPU: a TensorRT plan."""
    config = _config(_spec(pipeline, pipeline.engine), ENGINE_BATCH, platform="tensorrt_plan")
    config.instance_group.add(kind=ModelInstanceGroup.KIND_GPU, count=_GPU_INSTANCES)
    config.dynamic_batching.preferred_batch_size.extend([ENGINE_BATCH // 2, ENGINE_BATCH])
    config.dynamic_batching.max_queue_delay_microseconds = _GPU_QUEUE_DELAY_US
    _warm_up(config, pipeline, (1, ENGINE_BATCH // 2, ENGINE_BATCH))
    return config


def cpu_engine(pipeline: Pipeline) -> ModelConfig:
    """Return the configuration of an engine on a CPU, by OpenVINO."""
    return _python_engine(pipeline, ModelInstanceGroup.KIND_CPU)


def rtx_engine(pipeline: Pipeline) -> ModelConfig:
    """Return the configuration of a TensorRT-RTX engine, which runs in the Python backend by an adapter of its own."""
    config = _python_engine(pipeline, ModelInstanceGroup.KIND_GPU)
    config.default_model_filename = RTX_ADAPTER
    # Kernels are compiled for each size when it first comes.
    _warm_up(config, pipeline, (ENGINE_BATCH // 2, ENGINE_BATCH))
    return config


ENGINES: Mapping[str, Callable[[Pipeline], ModelConfig]] = {
    "cpu": cpu_engine,
    "tensorrt": gpu_engine,
    "tensorrt_rtx": rtx_engine,
}
"""Target to what serves its engines."""


def select(config: ModelConfig, version: int, facts: Mapping[str, str]) -> ModelConfig:
    """Make ``config`` serve exactly one version, and tell its clients what that is; return it."""
    config.version_policy.specific.versions.append(version)
    _state(config, facts)
    return config


def text(config: ModelConfig) -> str:
    """Return ``config`` as the content of a file."""
    return _HEADER + str(text_format.MessageToString(config))


def read(path: Path) -> ModelConfig:
    """Read a configuration back.

    Raises:
        EngineBuildError: Something else.
    """
    try:
        return text_format.Parse(path.read_text(), ModelConfig())
    except (OSError, ValueError, text_format.ParseError) as error:
        raise EngineBuildError(
            f"{path} is no configuration of Triton ({error}); delete it and run: alphacut build --force"
        ) from error


def _spec(pipeline: Pipeline, name: str) -> ModelSpec:
    return next(spec for spec in pipeline.models() if spec.name == name)


def _config(spec: ModelSpec, batch: int, **kind: str) -> ModelConfig:
    config = ModelConfig(name=spec.name, max_batch_size=batch, **kind)
    for declared, wanted in ((config.input, spec.inputs), (config.output, spec.outputs)):
        for tensor in wanted:
            declared.add(name=tensor.name, data_type=_data_type(tensor), dims=tensor.dims)
    _state(config, {"contract_version": CONTRACT_VERSION})
    return config


def _python_step(spec: ModelSpec) -> ModelConfig:
    """Return the configuration of a step on image files, which share a batch whatever their lengths are."""
    config = _config(spec, _STEP_BATCH, backend="python")
    for tensor in config.input:
        tensor.allow_ragged_batch = -1 in tensor.dims
    config.instance_group.add(kind=ModelInstanceGroup.KIND_CPU, count=1)
    config.dynamic_batching.SetInParent()
    _state(config, {"max_bytes": str(DEFAULT_LIMITS.max_bytes), "max_pixels": str(DEFAULT_LIMITS.max_pixels)})
    return config


def _python_engine(pipeline: Pipeline, kind: int) -> ModelConfig:
    config = _config(_spec(pipeline, pipeline.engine), ENGINE_BATCH, backend="python")
    config.instance_group.add(kind=kind, count=1)
    config.dynamic_batching.SetInParent()
    _warm_up(config, pipeline, (1,))
    return config


def _step(config: ModelConfig, model: str, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    step = config.ensemble_scheduling.step.add(model_name=model, model_version=-1)
    step.input_map.update(inputs)
    step.output_map.update(outputs)


def _warm_up(config: ModelConfig, pipeline: Pipeline, batches: Iterable[int]) -> None:
    """Let the engine run once before it takes requests: the first run is slow, and a broken engine fails here."""
    image = image_spec(pipeline.size)
    for batch in batches:
        sample = config.model_warmup.add(name=f"batch of {batch}", batch_size=batch)
        tensor = sample.inputs[image.name]
        tensor.data_type, tensor.random_data = _data_type(image), True
        tensor.dims.extend(image.dims)


def _state(config: ModelConfig, facts: Mapping[str, str]) -> None:
    for name, value in facts.items():
        config.parameters[name].string_value = value


def _data_type(tensor: TensorSpec) -> int:
    return int(model_config_pb2.DataType.Value(f"TYPE_{tensor.datatype}"))
