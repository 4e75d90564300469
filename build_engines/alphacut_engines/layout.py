"""What stands around an engine in the model repository: its ensemble, the steps beside it, and the adapters."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tritonclient.grpc.model_config_pb2 import ModelConfig

from alphacut_core import bundled, installed, tiers
from alphacut_core.errors import EngineBuildError
from alphacut_engines import configs, manifest

ADAPTER_FILES = (configs.ADAPTER, configs.RTX_ADAPTER)
_PACKAGED = Path(__file__).parent / "adapters"
_DEFAULT = tiers.pipeline()


def lay_out(repository: Path, written: Mapping[str, Any], target: str, selection: str) -> None:
    """Make everything around one version of an engine, and last the file that selects it.

    What is there and right stays untouched. Either all files change, or none. A name may stand for networks of two
    sizes on two targets: each has an ensemble of its own.

    Args:
        repository: Triton's model repository.
        written: The version's manifest.
        target: For which the version is selected.
        selection: What the file that selects it is to say.

    Raises:
        EngineBuildError: This installation brings no adapters.
        OSError: No space, no permission.
    """
    names = manifest.pipeline(written)
    ensemble = configs.ensemble(names, written["slot"], written["tier"])
    models: dict[str, ModelConfig] = {
        names.ensemble: ensemble,
        names.preprocess: configs.preprocess(names),
        names.postprocess: configs.postprocess(names),
        names.engine: configs.gpu_engine(names),
    }
    for name in (names.ensemble, names.preprocess, names.postprocess):
        (repository / name / "1").mkdir(parents=True, exist_ok=True)
    if names.preprocess != _DEFAULT.preprocess:
        link_adapter(repository, _DEFAULT.preprocess, repository / names.preprocess / "1")
    configurations = {repository / name / "config.pbtxt": configs.text(made) for name, made in models.items()}
    of_target = {names.ensemble: configs.text(ensemble), names.engine: selection}
    selections = {installed.config_path(repository, name, target): made for name, made in of_target.items()}
    _replace({**_adapters(repository), **configurations, **selections})


def link_adapter(repository: Path, original: str, folder: Path, file: str = configs.ADAPTER) -> None:
    """Let a version directory use the adapter of ``original``, wherever the repository will be mounted."""
    link = folder / file
    if link.exists():
        return
    # Networks of one size share preprocessing, so that another build may link it now; and one may lead nowhere.
    draft = _draft(link)
    draft.unlink(missing_ok=True)
    draft.symlink_to(os.path.relpath(repository / original / "1" / file, folder))
    draft.replace(link)


def link_engine_adapter(repository: Path, folder: Path, target: str) -> None:
    """Let a version directory of an engine use the one adapter of all engines for a target."""
    link_adapter(
        repository, _DEFAULT.engine, folder, configs.RTX_ADAPTER if target == "tensorrt_rtx" else configs.ADAPTER
    )


def _replace(contents: Mapping[Path, str]) -> None:
    """Write files in order, each at once, so that a reader sees the old content or the new; nothing if it is the same.

    Nothing is replaced before everything is on the disk.
    """
    drafts = {path: _draft(path) for path, content in contents.items() if _differs(path, content)}
    try:
        for path, draft in drafts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("w") as file:
                file.write(contents[path])
                file.flush()
                os.fsync(file.fileno())
        for path, draft in drafts.items():
            draft.replace(path)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")


def _differs(path: Path, content: str) -> bool:
    return not path.is_file() or path.read_text() != content


def _adapters(repository: Path) -> dict[Path, str]:
    """Return this release's adapters, for a repository that is not the checkout's."""
    files = [(model, configs.ADAPTER) for model in (_DEFAULT.preprocess, _DEFAULT.engine, _DEFAULT.postprocess)]
    files.append((_DEFAULT.engine, configs.RTX_ADAPTER))
    return {repository / model / "1" / file: _adapter(model, file) for model, file in files}


def _adapter(model: str, file: str) -> str:
    packaged = f"{model}.py" if file == configs.ADAPTER else file
    for source in (bundled.MODEL_REPOSITORY / model / "1" / file, _PACKAGED / packaged):
        if source.is_file():
            return source.read_text()
    raise EngineBuildError(
        f"stage install: there is no adapter for {model} in {bundled.MODEL_REPOSITORY} or {_PACKAGED}; "
        "install alphacut again"
    )
