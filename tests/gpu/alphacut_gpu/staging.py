"""A model repository for the course: the default pipeline around an engine of a GPU."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tritonclient.grpc.model_config_pb2 import ModelConfig

from alphacut_core import codec, geometry, installed, probe, tiers
from alphacut_engines import configs
from alphacut_engines.reference import Reference
from alphacut_gpu import networks
from alphacut_gpu.place import CHECKOUT

PIPELINE = tiers.pipeline()
PYTORCH_ADAPTER, NULL_ADAPTER = "pytorch_adapter.py", "null_adapter.py"
_OWN = Path(__file__).parent
_VERSION = 1


def tensorrt_rtx(folder: Path, engine: Path, precision: str) -> Path:
    """Lay out a repository that serves an engine of TensorRT-RTX; return it."""
    adapter = CHECKOUT / "model_repository" / PIPELINE.engine / str(_VERSION) / configs.RTX_ADAPTER
    version = _lay_out(folder, "tensorrt_rtx", precision, configs.rtx_engine(PIPELINE), adapter)
    shutil.copyfile(engine, version / "model.engine")
    return folder


def pytorch(folder: Path, network: Path, packages: Path) -> Path:
    """Lay out a repository whose engine is PyTorch; return it.

    Args:
        folder: Where.
        network: The file of a compiled network, or of a traced one, under the name that the adapter knows it by.
        packages: Where PyTorch is installed.
    """
    config = configs.rtx_engine(PIPELINE)
    version = _lay_out(folder, "pytorch", "fp16", config, _OWN / PYTORCH_ADAPTER, packages=str(packages))
    shutil.copyfile(network, version / network.name)
    return folder


def nothing(folder: Path) -> Path:
    """Lay out a repository whose engine takes no time, on the processor; return it."""
    _lay_out(folder, "nothing", "none", configs.cpu_engine(PIPELINE), _OWN / NULL_ADAPTER)
    return folder


def write(folder: Path, config: ModelConfig, name: str = "config.pbtxt") -> None:
    """Write a model's configuration."""
    path = folder / config.name / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(configs.text(config))


def _lay_out(folder: Path, runtime: str, precision: str, config: ModelConfig, adapter: Path, **parameters: str) -> Path:
    """Write everything but the engine, its adapter included; return its version directory."""
    for around in (
        configs.ensemble(PIPELINE, PIPELINE.engine, "full"),
        configs.preprocess(PIPELINE),
        configs.postprocess(PIPELINE),
        configs.gpu_engine(PIPELINE),
    ):
        write(folder, around)
        (folder / around.name / str(_VERSION)).mkdir()
    for step in (PIPELINE.preprocess, PIPELINE.postprocess):
        code = Path(step, str(_VERSION), configs.ADAPTER)
        shutil.copyfile(CHECKOUT / "model_repository" / code, folder / code)
    version = folder / PIPELINE.engine / str(_VERSION)
    config.default_model_filename = adapter.name
    shutil.copyfile(adapter, version / adapter.name)
    square = geometry.to_square(codec.decode(probe.picture()), PIPELINE.size)
    masks, _ = Reference(networks.graph("u2netp", "fp32"), "probe").masks(square[None])
    probe.store_answer(masks[0], version)
    facts = {
        **{"model": runtime, "slot": PIPELINE.engine, "tier": "full", "native_size": PIPELINE.size},
        **{"size": PIPELINE.size, "target": runtime, "precision": precision, "artefacts": {}},
    }
    (version / installed.MANIFEST_FILE).write_text(json.dumps(facts))
    told = {name: str(value) for name, value in facts.items() if name != "artefacts"}
    # The embedded server asks Triton for the configurations of its one target.
    write(folder, configs.select(config, _VERSION, {**told, **parameters}), f"configs/{installed.CPU}.pbtxt")
    return version
