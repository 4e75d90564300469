"""Files and functions stay small enough to be read at one sitting."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for path in ROOT.glob("*/alphacut_*/**/*.py") if "__pycache__" not in path.parts)
ADAPTERS = sorted(ROOT.glob("model_repository/*/*/*.py"))

MAX_FILE_LINES = 300
MAX_MEDIAN_FILE_LINES = 150
MAX_FUNCTION_LINES = 60
MAX_ADAPTER_LINES = 80


def n_lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def long_functions(code: str) -> list[str]:
    """Return the names of functions over the budget."""
    return [
        node.name
        for node in ast.walk(ast.parse(code))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or node.lineno) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES + ADAPTERS, ids=name)
def test_a_file_fits_the_budget(path: Path) -> None:
    assert n_lines(path) <= (MAX_ADAPTER_LINES if path in ADAPTERS else MAX_FILE_LINES)
    assert long_functions(path.read_text()) == []


def test_half_of_the_files_are_short() -> None:
    assert len(FILES) > 20
    assert statistics.median(map(n_lines, FILES)) <= MAX_MEDIAN_FILE_LINES


def test_a_planted_long_function_is_found() -> None:
    body = "    pass\n" * MAX_FUNCTION_LINES
    assert long_functions(f"class A:\n  def long(self):\n{body}") == ["long"]
    assert long_functions("def short():\n" + "    pass\n" * (MAX_FUNCTION_LINES - 1)) == []


def test_there_is_no_junk_drawer() -> None:
    assert not [name(path) for path in FILES if path.stem.strip("_") in {"util", "utils", "helpers", "common", "misc"}]
