"""What stands around an engine in the model repository: its ensemble, the steps beside it, and the adapters."""

from __future__ import annotations

import os
from pathlib import Path

from tritonclient.grpc.model_config_pb2 import ModelConfig

from alphacut_core import tiers
from alphacut_core.errors import EngineBuildError
from alphacut_engines import configs
from alphacut_engines.order import Order

ADAPTER_FILES = (configs.ADAPTER, configs.RTX_ADAPTER)
_CHECKOUT = Path(__file__).parents[2] / "model_repository"
_PACKAGED = Path(__file__).parent / "adapters"
_DEFAULT = tiers.pipeline()


def lay_out(order: Order) -> None:
    """Make everything but the engine's versions; what is there and right stays untouched.

    Raises:
        EngineBuildError: This installation brings no adapters.
    """
    names, repository = order.pipeline, order.repository
    models: dict[str, ModelConfig] = {
        names.ensemble: configs.ensemble(names, order.recipe.engine, order.tier),
        names.preprocess: configs.preprocess(names),
        names.postprocess: configs.postprocess(names),
        names.engine: configs.gpu_engine(names),
    }
    for name, config in models.items():
        (repository / name / "1").mkdir(parents=True, exist_ok=True)
        replace(repository / name / "config.pbtxt", configs.text(config))
    for original in (_DEFAULT.preprocess, _DEFAULT.engine, _DEFAULT.postprocess):
        _bring(repository, original)
    _bring(repository, _DEFAULT.engine, configs.RTX_ADAPTER)
    if names.preprocess != _DEFAULT.preprocess:
        link_adapter(repository, _DEFAULT.preprocess, repository / names.preprocess / "1")


def link_adapter(repository: Path, original: str, folder: Path, file: str = configs.ADAPTER) -> None:
    """Let a version directory use the adapter of ``original``, wherever the repository will be mounted."""
    link = folder / file
    if link.exists():
        return
    link.unlink(missing_ok=True)  # one that leads nowhere
    link.symlink_to(os.path.relpath(repository / original / "1" / file, folder))


def link_engine_adapter(repository: Path, folder: Path, target: str) -> None:
    """Let a version directory of an engine use the one adapter of all engines for a target."""
    link_adapter(
        repository, _DEFAULT.engine, folder, configs.RTX_ADAPTER if target == "tensorrt_rtx" else configs.ADAPTER
    )


def replace(path: Path, content: str) -> None:
    """Write a file all at once, so that a reader sees the old content or the new; nothing if they are the same."""
    if path.is_file() and path.read_text() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _bring(repository: Path, model: str, file: str = configs.ADAPTER) -> None:
    """Copy this release's adapter into a repository that is not the checkout's."""
    packaged = f"{model}.py" if file == configs.ADAPTER else file
    for source in (_CHECKOUT / model / "1" / file, _PACKAGED / packaged):
        if source.is_file():
            replace(repository / model / "1" / file, source.read_text())
            return
    raise EngineBuildError(
        f"stage install: there is no adapter for {model} in {_CHECKOUT} or {_PACKAGED}; install alphacut again"
    )
