"""What a section tries, one thing after another: what fails is told, and stops no other."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from typing import Any

from alphacut_core.errors import AlphacutError
from alphacut_gpu.place import NotRunError

_LONGEST = 600


class Trying:
    """Remembers what failed in a way that nobody foresaw."""

    def __init__(self) -> None:
        self._failed: list[str] = []

    @contextlib.contextmanager
    def one(self, name: str, entry: dict[str, Any], reason: str = "refused") -> Iterator[None]:
        """Do one thing; where it fails, say why in ``entry`` under ``reason``."""
        try:
            yield
        except (AlphacutError, NotRunError, ModuleNotFoundError) as error:
            entry[reason] = str(error)
        except Exception as error:  # noqa: BLE001  a library's own, and there is one chance to ask the others
            traceback.print_exc()
            entry[reason] = f"{type(error).__name__}: {error}"[:_LONGEST]
            self._failed.append(f"{name}: {entry[reason]}")

    def end(self) -> None:
        """Return if all was well.

        Raises:
            RuntimeError: Something failed in a way that is no reason to expect.
        """
        if self._failed:
            raise RuntimeError("; ".join(self._failed))
