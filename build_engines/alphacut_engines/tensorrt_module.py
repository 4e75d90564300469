"""TensorRT's Python module in either kind, or one line about how to get it."""

from __future__ import annotations

import importlib
import re
from typing import Any

from alphacut_core.errors import MissingLibraryError

OLDEST, NEXT = (10, 4), (12, 0)
"""Versions from the first, below the second: what the names in the tests were taken from."""


def load() -> Any:
    """Return the data-centre TensorRT.

    Its bindings alone, without the package that unites them with NVIDIA's libraries, have another name: they are
    what fits into a container that has the libraries already.

    Raises:
        MissingLibraryError: It is not installed, or another version.
    """
    for name in ("tensorrt", "tensorrt_bindings"):
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            reason = str(error)
        else:
            return _checked(module)
    raise MissingLibraryError(
        f"the target tensorrt needs TensorRT 10.4 to 11.x ({reason}); a plan serves only where it was built, so run "
        "docker compose run --rm build, or pip install tensorrt-cu13 in the version of your Triton"
    )


def load_rtx() -> Any:
    """Return TensorRT-RTX.

    Raises:
        MissingLibraryError: It is not installed.
    """
    try:
        return importlib.import_module("tensorrt_rtx_bindings")
    except ImportError as error:
        remedy = "run pip install '.[rtx]' in Alphacut's checkout on x86-64 Linux"
        raise MissingLibraryError(f"the target tensorrt_rtx needs TensorRT-RTX ({error}); {remedy}") from error


def _checked(module: Any) -> Any:
    numbers = tuple(map(int, re.findall(r"\d+", module.__version__)[:2]))
    if not OLDEST <= numbers < NEXT:
        raise MissingLibraryError(
            f"got TensorRT {module.__version__}; the target tensorrt is written for 10.4 to 11.x; "
            "use a tritonserver image from 25.01 on"
        )
    return module
