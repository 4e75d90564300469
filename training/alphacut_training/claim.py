"""Which run an output folder belongs to, so that none goes on with another's checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from alphacut_core import atomic
from alphacut_core.errors import EngineSourceError
from alphacut_training.settings import Settings

Origin = Mapping[str, str | float]
"""What a run depends on besides its settings: the command, its networks by ``checkpoint.fingerprint``, its shape."""

_MAY_DIFFER = frozenset({"epochs", "minutes", "patience", "workers", "devices", "output"})


def claim(settings: Settings, origin: Origin) -> None:
    """Write what the run is into its output folder, or compare it with the run to go on with.

    Only ``epochs``, ``minutes`` and what does not change the result may differ. A run that ended before its first
    checkpoint left nothing to go on with, and holds no folder.

    Raises:
        EngineSourceError: The folder holds the checkpoint of another run.
    """
    file = settings.output / "settings.json"
    facts = {**origin, **settings.facts()}
    if not last_checkpoint(settings.output).exists():
        start_file(settings.output).unlink(missing_ok=True)
    elif file.exists():
        _compare(json.loads(file.read_text()), facts, settings.output)
    settings.output.mkdir(parents=True, exist_ok=True)
    atomic.write(file, json.dumps(facts, indent=1).encode())


def last_checkpoint(output: Path) -> Path:
    """Return the file of the last whole epoch."""
    return output / "checkpoints" / "last.ckpt"


def start_file(output: Path) -> Path:
    """Return the file of what was measured before the first epoch."""
    return output / "start.json"


def _compare(before: Mapping[str, object], now: Mapping[str, object], output: Path) -> None:
    names = [name for name in {**before, **now} if name not in _MAY_DIFFER and before.get(name) != now.get(name)]
    if names:
        changes = ", ".join(f"{name} {before.get(name)} -> {now.get(name)}" for name in names)
        raise EngineSourceError(
            f"{output} holds a run with other settings ({changes}); give another --output, or the same"
        )
