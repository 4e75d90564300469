"""``alphacut check``: refuse in words, before Triton loads it, a plan that was not built for this machine.

A plan loads in the version of TensorRT that made it, on GPUs of the compute capability that it was made on. With
any other Triton ends, or crashes, and says so in TensorRT's terms only. So the container runs this first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from alphacut_core import installed
from alphacut_core.errors import EngineError
from alphacut_core.installed import Installed
from alphacut_engines import fingerprint, gpu, tensorrt_library
from alphacut_engines.gpu import Gpu

_TARGET = "tensorrt"
_REMEDY = "build it here: docker compose run --rm build"
_COMPARED = 3
"""Numbers of a version that the library states and a plan depends on."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a plan depends on.

    Attributes:
        tensorrt: Version of the library, or None.
        gpus: All that Triton would load the plan on.
    """

    tensorrt: str | None
    gpus: tuple[Gpu, ...]

    @classmethod
    def here(cls) -> Machine:
        """Look at this machine."""
        return cls(tensorrt_library.version(), gpu.visible())


def problems(repository: Path, machine: Machine) -> list[str]:
    """Return a line for everything that keeps the installed plans from being served; none if they can be."""
    return [
        f"{found.folder / name}: {reason}; {_REMEDY}"
        for found in installed.find_all(repository, _TARGET)
        for name, reason in _of_engine(found, machine)
    ]


def _of_engine(found: Installed, machine: Machine) -> Iterator[tuple[str, str]]:
    for name, sha256 in found.manifest["artefacts"].items():
        if reason := _altered(found.folder / name, sha256):
            yield name, reason
    plan = next((name for name in found.manifest["artefacts"] if name.endswith(".plan")), installed.MANIFEST_FILE)
    for reason in _misfits(found.manifest["built_for"], machine):
        yield plan, reason


def _altered(path: Path, sha256: str) -> str | None:
    if not path.is_file():
        return "is missing"
    if fingerprint.of_file(path) != sha256:
        return "is not the file that was built and judged: its checksum is another one"
    return None


def _misfits(built_for: Mapping[str, str], machine: Machine) -> Iterator[str]:
    wanted = built_for["tensorrt"]
    if machine.tensorrt is None:
        yield f"needs TensorRT {wanted}, and this machine has none"
    elif _numbers(wanted) != _numbers(machine.tensorrt):
        yield f"was built by TensorRT {wanted} and loads in no other; here is {machine.tensorrt}"
    if not machine.gpus:
        yield f"needs an {built_for['gpu']}, and nvidia-smi shows no GPU here, or CUDA_VISIBLE_DEVICES hides it"
    others = {one.compute_capability: one.name for one in machine.gpus}
    others.pop(built_for["compute_capability"], None)
    for capability, name in sorted(others.items()):
        yield (
            f"was built for compute capability {built_for['compute_capability']} ({built_for['gpu']}); "
            f"here is {capability} ({name})"
        )


def _numbers(version: str) -> Sequence[str]:
    return version.split(".")[:_COMPARED]


@click.command()
@click.argument("repository", type=click.Path(path_type=Path, file_okay=False, exists=True))
def check(repository: Path) -> None:
    """Check that the TensorRT plans in a model REPOSITORY fit this machine; say nothing if they do."""
    if found := problems(repository, Machine.here()):
        raise EngineError("\n".join(found))
