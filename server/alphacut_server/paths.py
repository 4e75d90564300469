"""Where the embedded server keeps what it makes, and where it finds the model repository."""

from __future__ import annotations

import os
from pathlib import Path

from alphacut_core import bundled
from alphacut_core.errors import ServerStartError

HOME_VARIABLE = "ALPHACUT_HOME"


def home() -> Path:
    """Return the folder for environments: ``$ALPHACUT_HOME``, else ``alphacut`` in the user's cache.

    Raises:
        ServerStartError: It would be in a home that there is none of, as users have whom the machine does not know.
    """
    chosen = os.environ.get(HOME_VARIABLE)
    named = Path(chosen or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "alphacut"))
    try:
        return named.expanduser().resolve()
    except RuntimeError as error:
        raise ServerStartError(
            f"got {named}, and no home of user {os.getuid()} is known; "
            f"point ${HOME_VARIABLE} to a folder that can be written"
        ) from error


def repository(chosen: Path | None) -> Path:
    """Return the model repository: the one chosen, ``$ALPHACUT_REPOSITORY``, or the checkout's.

    Raises:
        ServerStartError: There is none.
    """
    folder = bundled.repository(chosen).resolve()
    if not (folder / "postprocess" / "config.pbtxt").is_file():
        raise ServerStartError(
            f"got {folder}, which is no Alphacut model repository; "
            f"name one with --repository or ${bundled.REPOSITORY_VARIABLE}"
        )
    return folder
