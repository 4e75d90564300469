"""Where the embedded server keeps what it makes, and where it finds the model repository."""

from __future__ import annotations

import os
from pathlib import Path

from alphacut_core import bundled
from alphacut_core.errors import ServerStartError

HOME_VARIABLE = "ALPHACUT_HOME"
REPOSITORY_VARIABLE = "ALPHACUT_REPOSITORY"


def home() -> Path:
    """Return the folder for environments: ``$ALPHACUT_HOME``, else ``alphacut`` in the user's cache."""
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().resolve()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser().resolve() / "alphacut"


def repository(chosen: Path | None) -> Path:
    """Return the model repository: the one chosen, ``$ALPHACUT_REPOSITORY``, or the checkout's.

    Raises:
        ServerStartError: There is none.
    """
    named = chosen or os.environ.get(REPOSITORY_VARIABLE)
    folder = Path(named).resolve() if named else bundled.MODEL_REPOSITORY
    if not (folder / "postprocess" / "config.pbtxt").is_file():
        raise ServerStartError(
            f"got {folder}, which is no Alphacut model repository; name one with --repository or ${REPOSITORY_VARIABLE}"
        )
    return folder
