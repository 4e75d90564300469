"""Every config.pbtxt says what core's contract says, and every edge of the ensemble fits at both ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2
from tritonclient.grpc.model_config_pb2 import ModelConfig

from alphacut_core.contract import CONTRACT_VERSION, DEFAULT_PIPELINE
from alphacut_core.limits import DEFAULT_LIMITS

REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository"
CONFIGS = sorted([*REPOSITORY.glob("*/config.pbtxt"), *REPOSITORY.glob("*/configs/*.pbtxt")])
SPECS = {spec.name: spec for spec in DEFAULT_PIPELINE.models()}

Tensor = tuple[str, str, tuple[int, ...]]


def parse(text: str) -> ModelConfig:
    return text_format.Parse(text, ModelConfig())


def model_name(path: Path) -> str:
    return path.relative_to(REPOSITORY).parts[0]


def tensors(declared: object) -> list[Tensor]:
    """Return name, Triton's name of the type as the wire spells it, and shape of each tensor of a config."""
    names = model_config_pb2.DataType.Name
    return [(tensor.name, names(tensor.data_type).removeprefix("TYPE_"), tuple(tensor.dims)) for tensor in declared]


def main_configs() -> dict[str, ModelConfig]:
    return {model_name(path): parse(path.read_text()) for path in CONFIGS if path.name == "config.pbtxt"}


@pytest.fixture(params=CONFIGS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_the_repository_holds_exactly_the_models_of_the_pipeline() -> None:
    folders = {folder.name for folder in REPOSITORY.iterdir() if folder.is_dir()}
    assert folders == set(SPECS) == set(main_configs())


def test_the_engine_has_a_configuration_for_cpus() -> None:
    assert (REPOSITORY / DEFAULT_PIPELINE.engine / "configs" / "cpu.pbtxt") in CONFIGS


def test_names_types_and_shapes_are_those_of_the_contract(path: Path) -> None:
    config, spec = parse(path.read_text()), SPECS[model_name(path)]
    assert config.name == spec.name
    assert tensors(config.input) == [(t.name, t.datatype, t.dims) for t in spec.inputs]
    assert tensors(config.output) == [(t.name, t.datatype, t.dims) for t in spec.outputs]


def test_batches_form_in_the_server(path: Path) -> None:
    config = parse(path.read_text())
    assert config.max_batch_size > 1
    assert config.HasField("ensemble_scheduling") != config.HasField("dynamic_batching")


def test_every_configuration_names_the_contracts_version(path: Path) -> None:
    assert parse(path.read_text()).parameters["contract_version"].string_value == CONTRACT_VERSION


def test_steps_that_read_image_files_hold_to_the_default_limits() -> None:
    for name in (DEFAULT_PIPELINE.preprocess, DEFAULT_PIPELINE.postprocess):
        parameters = main_configs()[name].parameters
        assert int(parameters["max_bytes"].string_value) == DEFAULT_LIMITS.max_bytes
        assert int(parameters["max_pixels"].string_value) == DEFAULT_LIMITS.max_pixels
        assert int(parameters["size"].string_value) == DEFAULT_PIPELINE.size


def test_files_of_different_lengths_share_a_batch() -> None:
    for name in (DEFAULT_PIPELINE.preprocess, DEFAULT_PIPELINE.postprocess):
        for tensor in main_configs()[name].input:
            assert tensor.allow_ragged_batch == (-1 in tensor.dims), f"{name}: {tensor.name}"


def test_a_model_of_the_python_backend_brings_its_adapter(path: Path) -> None:
    config = parse(path.read_text())
    if config.backend == "python":
        assert (REPOSITORY / config.name / "1" / "model.py").is_file()
    else:
        assert config.platform in {"ensemble", "tensorrt_plan"}


def test_variants_of_a_model_differ_in_nothing_that_its_neighbours_see(path: Path) -> None:
    variant, main = parse(path.read_text()), main_configs()[model_name(path)]
    assert tensors(variant.input) == tensors(main.input)
    assert tensors(variant.output) == tensors(main.output)
    assert variant.max_batch_size == main.max_batch_size


def edge_faults(configs: dict[str, ModelConfig]) -> list[str]:
    """Return what does not fit between the steps of the ensemble and the models that they name."""
    ensemble = configs[DEFAULT_PIPELINE.ensemble]
    known = {name: (datatype, dims) for name, datatype, dims in tensors(ensemble.input)}
    faults = []
    for step in ensemble.ensemble_scheduling.step:
        model = configs.get(step.model_name)
        if model is None:
            faults.append(f"{step.model_name} is no model")
            continue
        if model.max_batch_size < ensemble.max_batch_size:
            faults.append(f"{step.model_name} takes smaller batches than the ensemble")
        inputs = {name: (datatype, dims) for name, datatype, dims in tensors(model.input)}
        outputs = {name: (datatype, dims) for name, datatype, dims in tensors(model.output)}
        faults += [f"{step.model_name}.{name} gets nothing" for name in inputs if name not in step.input_map]
        for name, source in step.input_map.items():
            if inputs.get(name) != known.get(source) or name not in inputs:
                faults.append(f"{source} {known.get(source)} does not fit {step.model_name}.{name} {inputs.get(name)}")
        for name, target in step.output_map.items():
            if name not in outputs:
                faults.append(f"{step.model_name} has no output {name}")
            else:
                known[target] = outputs[name]
    for name, datatype, dims in tensors(ensemble.output):
        if known.get(name) != (datatype, dims):
            faults.append(f"{name} {known.get(name)} is announced as {(datatype, dims)}")
    return faults


def test_every_edge_of_the_ensemble_fits_at_both_ends() -> None:
    assert edge_faults(main_configs()) == []


def test_a_field_that_triton_does_not_know_is_found() -> None:
    with pytest.raises(text_format.ParseError, match="no field named"):
        parse("dynamic_batchin { }")


@pytest.mark.parametrize(
    ("model", "old", "new", "said"),
    [
        ("u2netp", "TYPE_UINT8 dims: [ 320, 320, 3 ]", "TYPE_FP32 dims: [ 320, 320, 3 ]", "does not fit u2netp.IMAGE"),
        ("u2netp", "dims: [ 320, 320 ]", "dims: [ 256, 256 ]", "does not fit postprocess.MASK"),
        ("u2netp", "max_batch_size: 16", "max_batch_size: 1", "smaller batches than the ensemble"),
        ("remove_background", 'key: "IMAGE" value: "image"', 'key: "PICTURE" value: "image"', "no output PICTURE"),
        ("remove_background", 'model_name: "u2netp"', 'model_name: "u3net"', "u3net is no model"),
        (
            "remove_background",
            'key: "OPTIONS" value: "OPTIONS"',
            'key: "OTHER" value: "OPTIONS"',
            "OPTIONS gets nothing",
        ),
        ("remove_background", "TYPE_FP32 dims: [ 1 ]", "TYPE_FP16 dims: [ 1 ]", "CONFIDENCE .* is announced as"),
    ],
)
def test_a_planted_misfit_is_found(model: str, old: str, new: str, said: str) -> None:
    configs = main_configs()
    text = (REPOSITORY / model / "config.pbtxt").read_text()
    assert old in text
    configs[model] = parse(text.replace(old, new))
    assert any(re.search(said, fault) for fault in edge_faults(configs)), edge_faults(configs)
