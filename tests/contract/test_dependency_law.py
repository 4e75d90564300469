"""Who may import whom: everything core, loadtest and gateway the client too, and nothing else crosses."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PACKAGES = {
    "core": "alphacut_core",
    "client": "alphacut_client",
    "build_engines": "alphacut_engines",
    "server": "alphacut_server",
    "gateway": "alphacut_gateway",
    "loadtest": "alphacut_loadtest",
    "training": "alphacut_training",
}
ALSO_MAY_IMPORT = {"loadtest": {"alphacut_client"}, "gateway": {"alphacut_client"}}

CORE_NEEDS = {"cykooz_resizer", "isal", "numpy", "PIL"}
CORE_MAY_NEED_IN_FUNCTIONS = {"openvino", "pillow_heif", "pymatting", "scipy", "skimage"}
ENGINE_RUNTIMES = {"onnxruntime", "openvino", "tensorrt", "tensorrt_rtx_bindings"}
ADAPTERS_NEED = {"numpy", "triton_python_backend_utils"} | ENGINE_RUNTIMES


def imports(node: ast.AST, in_function: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield the top-level name of every absolute import below ``node``, and whether a function does it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name.partition(".")[0], in_function) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.level == 0:
            yield str(child.module).partition(".")[0], in_function
        inside = in_function or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield from imports(child, inside)


def offences(folder: str, code: str) -> list[str]:
    """Return what ``code`` in a top-level folder imports against the law."""
    own = {"alphacut_core", *ALSO_MAY_IMPORT.get(folder, ())} | {PACKAGES.get(folder, "alphacut_core")}
    found = []
    for name, in_function in imports(ast.parse(code)):
        foreign = name not in sys.stdlib_module_names and name not in own
        ours_but_forbidden = name.startswith("alphacut") and name not in own
        core_allows = name in CORE_NEEDS or (in_function and name in CORE_MAY_NEED_IN_FUNCTIONS)
        too_much_for_core = folder == "core" and foreign and not core_allows
        too_much_for_adapters = folder == "model_repository" and foreign and name not in ADAPTERS_NEED
        if ours_but_forbidden or too_much_for_core or too_much_for_adapters:
            found.append(name)
    return found


@pytest.mark.parametrize("folder", [*PACKAGES, "model_repository"])
def test_no_file_imports_what_its_folder_may_not(folder: str) -> None:
    for path in sorted((ROOT / folder).rglob("*.py")):
        found = offences(folder, path.read_text())
        assert not found, f"{path.relative_to(ROOT)} imports {', '.join(found)}"


def test_every_package_stands_under_the_law() -> None:
    packages = {(path.parent.parent.name, path.parent.name) for path in ROOT.glob("*/alphacut_*/__init__.py")}
    assert packages <= set(PACKAGES.items())
    assert ("core", "alphacut_core") in packages


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("client", "import alphacut_engines"),
        ("client", "from alphacut_server import cli"),
        ("client", "def late():\n    from alphacut_engines.cli import build"),
        ("client", "if TYPE_CHECKING:\n    import alphacut_server.cli"),
        ("build_engines", "from alphacut_client import Client"),
        ("server", "import os, alphacut_client"),
        ("gateway", "import alphacut_engines"),
        ("model_repository", "from alphacut_client import Client"),
        ("model_repository", "import requests"),
        ("core", "import alphacut_client"),
        ("core", "import onnx"),
        ("core", "import scipy"),
        ("core", "try:\n    import pillow_heif\nexcept ImportError:\n    pass"),
        ("core", "class Lazy:\n    import pymatting"),
    ],
)
def test_a_planted_import_is_found(folder: str, code: str) -> None:
    assert offences(folder, code)


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("core", "import json, numpy\nfrom PIL import Image\nfrom alphacut_core import codec"),
        ("core", "def lazily():\n    import scipy.ndimage"),
        ("client", "import grpc\nfrom alphacut_core import codec\nfrom alphacut_client import Client"),
        ("client", "from . import alphacut_server"),
        ("loadtest", "from alphacut_client import Client"),
        ("model_repository", "import openvino\nfrom alphacut_core import adapter"),
    ],
)
def test_what_is_allowed_is_not_found(folder: str, code: str) -> None:
    assert offences(folder, code) == []


def test_the_client_is_imported_without_any_extra() -> None:
    blocked = ["click", "rich", "onnx", "onnxruntime", "onnxslim", "pymatting", "scipy", "skimage", "psutil", "rembg"]
    blocked += [package for package in PACKAGES.values() if package not in ("alphacut_core", "alphacut_client")]
    program = (
        f"import sys\nsys.modules |= dict.fromkeys({blocked})\nimport alphacut_client\nprint(alphacut_client.Client)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "Client" in done.stdout, done.stderr
