"""Libraries that only some refinements need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alphacut_core.errors import MissingLibraryError


@contextmanager
def library(name: str) -> Iterator[None]:
    """Turn a failed import inside the block into advice.

    Args:
        name: What is imported, as the message shall call it.

    Raises:
        MissingLibraryError: It is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise MissingLibraryError(
            f"this refinement needs {name}, which is not installed where the work happens ({error}); "
            "run pip install '.[refine]' in Alphacut's checkout there, or refine on the client"
        ) from error
