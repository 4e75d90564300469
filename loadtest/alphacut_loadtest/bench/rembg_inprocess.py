"""rembg as a library, in this process."""

from __future__ import annotations

import os
from functools import partial
from importlib import metadata

from alphacut_core.errors import MissingLibraryError
from alphacut_loadtest.bench.subject import Call, Setting, Subject

HOME_VARIABLE = "U2NET_HOME"
MODEL = "u2net_custom"


class RembgInProcess(Subject):
    """One session, called by as many threads as there are callers."""

    def __init__(self, setting: Setting) -> None:
        """Load the weights.

        Raises:
            MissingLibraryError: rembg is not installed.
        """
        super().__init__()
        os.environ[HOME_VARIABLE] = str(setting.scratch)  # rembg takes weights of one's own from there only
        try:
            import rembg  # noqa: PLC0415  seconds to import, and only this contender needs it
        except ModuleNotFoundError as error:
            raise MissingLibraryError(
                f"{error.name} is missing; run pip install '.[loadtest]' in Alphacut's checkout"
            ) from error
        self._remove = partial(rembg.remove, session=rembg.new_session(MODEL, model_path=str(setting.weights)))

    def call(self, contender: str, concurrency: int) -> Call:
        """Return ``rembg.remove`` on bytes, with its defaults."""
        return {"rembg-mask": partial(self._remove, only_mask=True), "rembg-cutout": self._remove}[contender]

    def versions(self) -> dict[str, str]:
        """Return those of rembg and its runtime."""
        return {name: metadata.version(name) for name in ("rembg", "onnxruntime", "numpy", "pillow")}
