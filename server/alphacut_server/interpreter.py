"""Find a Python that Triton's stub can be: the right version, with its shared library."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from alphacut_core.errors import ServerStartError

SUPPORTED = ("3.11", "3.12")
"""Versions for which Triton 2.51 has a stub, numpy 1.26 has a wheel and Pillow 13 too."""

_SYSTEM_LIBRARIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")
_ASK = """
import json, sys, sysconfig
print(json.dumps({
    "version": "%d.%d" % sys.version_info[:2],
    "executable": sys.executable,
    "library_folder": sysconfig.get_config_var("LIBDIR"),
    "prefix": sys.base_prefix,
}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that can run Triton's stub.

    Attributes:
        version: Major and minor, as in ``3.11``.
        executable: Absolute path.
        library_folder: Where ``libpythonX.Y.so.1.0`` lies.
    """

    version: str
    executable: Path
    library_folder: Path


def find() -> Interpreter:
    """Return the running Python if it will do, else the first on PATH that does.

    Raises:
        ServerStartError: None will do; the message says what to install.
    """
    without_library = []
    for candidate in _candidates():
        answer = _ask(candidate)
        if answer is None or answer["version"] not in SUPPORTED:
            continue
        folder = _library_folder(answer["version"], answer["library_folder"], answer["prefix"])
        if folder is None:
            without_library.append(answer["version"])
            continue
        return Interpreter(answer["version"], Path(answer["executable"]), folder)
    if without_library:
        version = without_library[0]
        raise ServerStartError(
            f"found Python {version} but not libpython{version}.so.1.0, which the embedded Triton needs; "
            f"run: apt-get install libpython{version}"
        )
    raise ServerStartError(
        f"the embedded Triton needs Python {' or '.join(SUPPORTED)}; this is {sys.version.split()[0]} and none is "
        f"on PATH; run: apt-get install python{SUPPORTED[0]} python{SUPPORTED[0]}-venv libpython{SUPPORTED[0]}"
    )


def _candidates() -> list[str]:
    found = [sys.executable, *(shutil.which(f"python{version}") for version in SUPPORTED)]
    return [candidate for candidate in found if candidate]


def _ask(executable: str) -> dict[str, str] | None:
    """Ask a Python about itself; a broken one or a version manager's empty shim is no candidate."""
    try:
        done = subprocess.run([executable, "-I", "-c", _ASK], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def _library_folder(version: str, configured: str | None, prefix: str) -> Path | None:
    own = os.path.join(prefix, "lib")  # a Python that was moved, as uv's are, is configured for where it was built
    named = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    for folder in (configured, own, *named, *_SYSTEM_LIBRARIES):
        if folder and os.path.exists(os.path.join(folder, f"libpython{version}.so.1.0")):
            return Path(folder)
    return None
