"""The embedded Triton's own environment, from what was carried along where there is no network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from alphacut_core.errors import ServerStartError
from alphacut_gpu.place import Place
from alphacut_server import environment as environments
from alphacut_server.environment import Environment


def ensure(place: Place) -> Environment:
    """Return the environment, with TensorRT-RTX in it where that was carried along."""
    wheels = place.pack / "server" if place.pack else None
    if wheels is None:
        return environments.ensure(_tell)
    environment = environments.locate()
    if not environment.complete.exists():
        # Not by ``ensure``: Python's venv module wants its bundled pip, which systems split off.
        _run(str(environment.python.executable), "-m", "venv", "--without-pip", str(environment.folder))
        _install(environment, wheels, "--require-hashes", "--requirement", str(environments.LOCK))
        environment.complete.touch()
    if rtx := sorted(place.pack.glob("driver/tensorrt_rtx*.whl")) if place.pack else []:
        _install(environment, wheels, *map(str, rtx))
    return environment


def _install(environment: Environment, wheels: Path, *what: str) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(environment.folder)]
    _run(*pip, "install", "--quiet", "--no-index", "--find-links", str(wheels), "--no-deps", "--no-compile", *what)


def _run(*command: str) -> None:
    # What this process imports is not there for the server: pip would take it for installed.
    apart = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env=apart, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerStartError(f"{' '.join(command)} failed: {(done.stdout + done.stderr)[-600:]}")


def _tell(line: str) -> None:
    print(line, file=sys.stderr)
