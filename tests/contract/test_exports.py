"""What a package exports is there, and is all that its ``__init__`` imports."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INITS = sorted(ROOT.glob("*/alphacut_*/__init__.py"))


@pytest.mark.parametrize("path", INITS, ids=lambda path: path.parent.name)
def test_exports_are_real_documented_and_complete(path: Path) -> None:
    package = importlib.import_module(path.parent.name)
    tree = ast.parse(path.read_text())
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    exported = list(getattr(package, "__all__", []))
    assert set(exported) == imported - {"annotations"}
    constants = [name for name in exported if name.isupper()]
    assert exported == sorted(constants) + sorted(set(exported) - set(constants))
    assert package.__doc__
    for name in exported:
        assert hasattr(package, name)


@pytest.mark.parametrize("path", INITS, ids=lambda path: path.parent.name)
def test_every_package_is_typed_for_its_users(path: Path) -> None:
    assert (path.parent / "py.typed").exists()
