"""Every configuration says what the contract says, for all tiers, and every edge of an ensemble fits at both ends."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2
from tritonclient.grpc.model_config_pb2 import ModelConfig

from alphacut_core import tiers
from alphacut_core.contract import CONTRACT_VERSION, Pipeline
from alphacut_core.limits import DEFAULT_LIMITS
from alphacut_core.tiers import MODES
from alphacut_engines import configs

REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository"
DEFAULT = tiers.pipeline()
NETWORKS = [(model, size, tier) for model, size in (("u2netp", 320), ("isnet-general-use", 1024)) for tier in MODES]

Tensor = tuple[str, str, tuple[int, ...]]


def make(model: str, size: int, tier: tiers.Mode) -> tuple[Pipeline, dict[str, ModelConfig]]:
    """Return a pipeline and the main configuration of each of its models."""
    names = tiers.pipeline(model, tier, size)
    made = (
        configs.ensemble(names, model, tier),
        configs.preprocess(names),
        configs.gpu_engine(names),
        configs.postprocess(names),
    )
    return names, {config.name: config for config in made}


def engines(names: Pipeline) -> list[ModelConfig]:
    return [maker(names) for maker in configs.ENGINES.values()]


@pytest.fixture(params=NETWORKS, ids=lambda network: f"{network[0]}-{network[2]}")
def network(request: pytest.FixtureRequest) -> tuple[Pipeline, dict[str, ModelConfig]]:
    return make(*request.param)


def tensors(declared: object) -> list[Tensor]:
    """Return name, Triton's name of the type as the wire spells it, and shape of each tensor of a config."""
    names = model_config_pb2.DataType.Name
    return [(tensor.name, names(tensor.data_type).removeprefix("TYPE_"), tuple(tensor.dims)) for tensor in declared]


def test_git_holds_the_default_networks_full_tier_as_it_is_defined() -> None:
    listed = subprocess.run(["git", "ls-files", "."], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    in_git = {Path(line) for line in listed.stdout.split() if line.endswith(".pbtxt")}
    _, defined = make("u2netp", 320, "full")
    assert in_git == {Path(name, "config.pbtxt") for name in defined}
    for path in sorted(in_git):
        assert (REPOSITORY / path).read_text() == configs.text(defined[path.parent.name]), "run: alphacut build --force"


def test_there_is_one_adapter_of_each_kind_and_the_others_are_links_within_the_repository() -> None:
    adapters = list(REPOSITORY.glob("*/*/*.py"))
    originals = {path.relative_to(REPOSITORY) for path in adapters if not path.is_symlink()}
    of_steps = {Path(name, "1", "model.py") for name in (DEFAULT.preprocess, "u2netp", DEFAULT.postprocess)}
    assert originals == of_steps | {Path("u2netp", "1", "tensorrt_rtx.py")}
    for link in (path for path in adapters if path.is_symlink()):
        assert not link.readlink().is_absolute(), "the container mounts the repository elsewhere"
        assert link.resolve().relative_to(REPOSITORY) in originals


def test_names_types_and_shapes_are_those_of_the_contract(network: tuple[Pipeline, dict[str, ModelConfig]]) -> None:
    names, made = network
    specs = {spec.name: spec for spec in names.models()}
    assert set(made) == set(specs)
    for config in (*made.values(), *engines(names)):
        spec = specs[config.name]
        assert tensors(config.input) == [(t.name, t.datatype, t.dims) for t in spec.inputs]
        assert tensors(config.output) == [(t.name, t.datatype, t.dims) for t in spec.outputs]


def test_batches_form_in_the_server(network: tuple[Pipeline, dict[str, ModelConfig]]) -> None:
    names, made = network
    for config in (*made.values(), *engines(names)):
        assert config.max_batch_size > 1
        assert config.HasField("ensemble_scheduling") != config.HasField("dynamic_batching")


def test_every_configuration_names_the_contracts_version(network: tuple[Pipeline, dict[str, ModelConfig]]) -> None:
    names, made = network
    for config in (*made.values(), *engines(names)):
        assert config.parameters["contract_version"].string_value == CONTRACT_VERSION


def test_an_ensemble_says_which_engine_computes_for_it(network: tuple[Pipeline, dict[str, ModelConfig]]) -> None:
    names, made = network
    parameters = {name: value.string_value for name, value in made[names.ensemble].parameters.items()}
    assert parameters["engine"] == names.engine
    assert int(parameters["size"]) == names.size
    assert tiers.pipeline(parameters["model"], parameters["tier"], 320 if "u2netp" in names.engine else 1024) == names


def test_steps_that_read_image_files_hold_to_the_default_limits() -> None:
    _, made = make("u2netp", 320, "full")
    for name in (DEFAULT.preprocess, DEFAULT.postprocess):
        parameters = made[name].parameters
        assert int(parameters["max_bytes"].string_value) == DEFAULT_LIMITS.max_bytes
        assert int(parameters["max_pixels"].string_value) == DEFAULT_LIMITS.max_pixels


def test_files_and_masks_of_different_sizes_share_a_batch() -> None:
    _, made = make("u2netp", 320, "full")
    for name in (DEFAULT.preprocess, DEFAULT.postprocess):
        for tensor in made[name].input:
            assert tensor.allow_ragged_batch == (-1 in tensor.dims), f"{name}: {tensor.name}"


def test_all_tiers_and_networks_share_postprocessing() -> None:
    made = {configs.text(make(*network)[1][DEFAULT.postprocess]) for network in NETWORKS}
    assert len(made) == 1


def test_an_engine_is_warmed_up_with_pictures_of_its_size(network: tuple[Pipeline, dict[str, ModelConfig]]) -> None:
    names, _ = network
    for config in engines(names):
        assert config.model_warmup
        for sample in config.model_warmup:
            assert sample.batch_size <= config.max_batch_size
            [(name, tensor)] = sample.inputs.items()
            assert (name, list(tensor.dims)) == (config.input[0].name, list(config.input[0].dims))


def test_selecting_a_version_keeps_everything_else() -> None:
    plain = configs.cpu_engine(DEFAULT)
    selected = configs.select(configs.cpu_engine(DEFAULT), 3, {"precision": "int8"})
    assert list(selected.version_policy.specific.versions) == [3]
    assert selected.parameters["precision"].string_value == "int8"
    selected.ClearField("version_policy")
    del selected.parameters["precision"]
    assert selected == plain


def test_a_configuration_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "cpu.pbtxt").write_text(configs.text(configs.cpu_engine(DEFAULT)))
    assert configs.read(tmp_path / "cpu.pbtxt") == configs.cpu_engine(DEFAULT)


def edge_faults(ensemble: str, made: dict[str, ModelConfig]) -> list[str]:
    """Return what does not fit between the steps of an ensemble and the models that they name."""
    whole = made[ensemble]
    known = {name: (datatype, dims) for name, datatype, dims in tensors(whole.input)}
    faults = []
    for step in whole.ensemble_scheduling.step:
        model = made.get(step.model_name)
        if model is None:
            faults.append(f"{step.model_name} is no model")
            continue
        if model.max_batch_size < whole.max_batch_size:
            faults.append(f"{step.model_name} takes smaller batches than the ensemble")
        inputs = {name: (datatype, dims) for name, datatype, dims in tensors(model.input)}
        outputs = {name: (datatype, dims) for name, datatype, dims in tensors(model.output)}
        faults += [f"{step.model_name}.{name} gets nothing" for name in inputs if name not in step.input_map]
        for name, source in step.input_map.items():
            if name not in inputs or source not in known or not _fits(known[source], inputs[name]):
                faults.append(f"{source} {known.get(source)} does not fit {step.model_name}.{name} {inputs.get(name)}")
        for name, target in step.output_map.items():
            if name not in outputs:
                faults.append(f"{step.model_name} has no output {name}")
            else:
                known[target] = outputs[name]
    for name, datatype, dims in tensors(whole.output):
        if known.get(name) != (datatype, dims):
            faults.append(f"{name} {known.get(name)} is announced as {(datatype, dims)}")
    return faults


def _fits(given: tuple[str, tuple[int, ...]], wanted: tuple[str, tuple[int, ...]]) -> bool:
    """Say whether a tensor may go where another is declared; -1 takes any length, as Triton has it."""
    (datatype, dims), (wanted_type, wanted_dims) = given, wanted
    lengths = zip(dims, wanted_dims, strict=False)
    return datatype == wanted_type and len(dims) == len(wanted_dims) and all(want in (-1, got) for got, want in lengths)


def test_every_edge_of_an_ensemble_fits_at_both_ends(network: tuple[Pipeline, dict[str, ModelConfig]]) -> None:
    names, made = network
    assert edge_faults(names.ensemble, made) == []


def test_a_field_that_triton_does_not_know_is_found() -> None:
    with pytest.raises(text_format.ParseError, match="no field named"):
        text_format.Parse("dynamic_batchin { }", ModelConfig())


MISFITS: dict[str, tuple[Callable[[dict[str, ModelConfig]], object], str]] = {
    "type": (lambda made: setattr(made["u2netp"].input[0], "data_type", 11), "does not fit u2netp.IMAGE"),
    "shape": (lambda made: made["u2netp"].output[0].dims.append(1), "does not fit postprocess.MASK"),
    "size": (lambda made: made["u2netp"].output[0].dims.__setitem__(0, 256), "MASK .* is announced as"),
    "batch": (lambda made: setattr(made["u2netp"], "max_batch_size", 1), "smaller batches than the ensemble"),
    "output": (lambda made: step(made, 0).output_map.update(PICTURE="image"), "no output PICTURE"),
    "model": (lambda made: setattr(step(made, 1), "model_name", "u3net"), "u3net is no model"),
    "input": (lambda made: step(made, 0).input_map.pop("OPTIONS"), "OPTIONS gets nothing"),
    "announced": (
        lambda made: setattr(made["remove_background"].output[1], "data_type", 10),
        "CONFIDENCE .* announced",
    ),
}


def step(made: dict[str, ModelConfig], position: int) -> model_config_pb2.ModelEnsembling.Step:
    return made["remove_background"].ensemble_scheduling.step[position]


@pytest.mark.parametrize("misfit", MISFITS)
def test_a_planted_misfit_is_found(misfit: str) -> None:
    plant, said = MISFITS[misfit]
    names, made = make("u2netp", 320, "full")
    plant(made)
    faults = edge_faults(names.ensemble, made)
    assert any(re.search(said, fault) for fault in faults), faults
