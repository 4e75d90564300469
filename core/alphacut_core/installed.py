"""Which engines a model repository serves: one version of each, and the facts about it.

``ENGINE/configs/TARGET.pbtxt`` selects the version. That file is replaced at once, so that a reader sees the engine
before or the engine after an installation, and nothing in between. Ensembles have such files too, which select nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alphacut_core import tiers
from alphacut_core.contract import Pipeline

CPU = "cpu"
TARGETS = (CPU, "tensorrt", "tensorrt_rtx")
"""What engines are built for; a model may be installed for each."""

MANIFEST_FILE = "manifest.json"

_SELECTED = re.compile(r"^\s*versions: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Installed:
    """One engine that is to be served.

    Attributes:
        engine: Name of its Triton model.
        version: Its version directory.
        config: The file that selects it.
        selection: What that file says.
        folder: Where its files lie.
        manifest: What ``alphacut build`` wrote about it.
    """

    engine: str
    version: int
    config: Path
    selection: str
    folder: Path
    manifest: Mapping[str, Any]

    @property
    def pipeline(self) -> Pipeline:
        """The ensemble that it is part of."""
        return tiers.pipeline(self.manifest["slot"], self.manifest["tier"], self.manifest["native_size"])


def config_path(repository: Path, engine: str, target: str = CPU) -> Path:
    """Return the file that selects an engine's version for a target."""
    return repository / engine / "configs" / f"{target}.pbtxt"


def find(repository: Path, engine: str, target: str = CPU) -> Installed | None:
    """Return the engine of that name that is to be served, or None if none is installed for the target."""
    config = config_path(repository, engine, target)
    try:
        selection = config.read_text()
        selected = _SELECTED.search(selection)
        if selected is None:
            return None
        folder = repository / engine / selected.group(1)
        manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return Installed(engine, int(selected.group(1)), config, selection, folder, manifest)


def find_all(repository: Path, target: str = CPU) -> Iterator[Installed]:
    """Yield all engines that are installed for a target, by name, the default network's first."""
    folders = [path.parents[1].name for path in repository.glob(f"*/configs/{target}.pbtxt")]
    for engine in sorted(folders, key=lambda name: (not name.startswith(tiers.DEFAULT_MODEL), name)):
        found = find(repository, engine, target)
        if found is not None:
            yield found
