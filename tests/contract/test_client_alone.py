"""``pip install alphacut`` in an empty environment: small, importable, and able to cut out."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MAX_INSTALLED_MIB = 180
MAY_BE_INSTALLED = {
    "alphacut", "cykooz-resizer", "grpcio", "isal", "ml-dtypes", "numpy", "packaging", "pillow", "protobuf",
    "python-rapidjson", "tritonclient", "typing-extensions", "urllib3",
}  # fmt: skip
NO_INDEX = ("NewConnectionError", "Temporary failure in name resolution", "ConnectTimeoutError", "ProxyError")

PROGRAM = """
import io, sys, warnings
warnings.simplefilter("error")
import numpy as np
from PIL import Image
from alphacut_client import AsyncClient, Client
from alphacut_core import Blur, Crop
from alphacut_core.errors import MissingLibraryError

url, photo = sys.argv[1:]
with Client(url) as client:
    cutout = client.remove(photo, background=Blur(5), crop=Crop(), feather_px=1, returns=np.ndarray)
    assert cutout.dtype == np.uint8 and cutout.shape[2] == 4, cutout.shape
    assert Image.open(io.BytesIO(client.mask(photo, erode_px=2, format="avif"))).format == "AVIF"
    try:
        client.remove(photo, decontaminate=True)
    except MissingLibraryError as error:
        print(error.code)
print(np.__version__, *sorted(name for name in sys.modules if name in ("scipy", "skimage", "click", "rich")))
"""


def interpreter(version: str) -> str:
    """Return a Python of that version that starts, or skip."""
    found = [shutil.which(f"python{version}"), *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    for path in filter(None, found):
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if told.stdout.startswith(f"Python {version}."):
            return path
    pytest.skip(f"Python {version} is not installed here")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distribution as it would be published."""
    pytest.importorskip("hatchling", reason="hatchling, the build backend, is not installed here")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def installed(python: str, folder: Path, *requirements: str) -> Path:
    """Install into a new environment with nothing else in it, not even pip; return its Python."""
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True, capture_output=True)
    own = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(own), "install", "--quiet", "--only-binary", ":all:"]
    done = subprocess.run([*pip, *requirements], capture_output=True, text=True, check=False)
    if any(sign in done.stderr for sign in NO_INDEX):
        pytest.skip("no package index can be reached from here")
    assert done.returncode == 0, done.stderr
    return own


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.triton
@pytest.mark.parametrize(
    ("version", "numpy"),
    [("3.10", "1.26.*"), ("3.10", ">=2"), ("3.11", ">=2"), ("3.12", "1.26.*"), ("3.13", ">=2")],
    ids=lambda value: value.strip("=>"),
)
def test_the_client_alone_is_small_and_works(
    version: str, numpy: str, wheel: Path, server_url: str, tmp_path: Path
) -> None:
    requirement = f"numpy=={numpy}" if numpy.endswith("*") else f"numpy{numpy}"
    python = installed(interpreter(version), tmp_path / "venv", str(wheel), requirement)
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    names = {path.name.partition("-")[0].replace("_", "-").lower() for path in packages.glob("*.dist-info")}
    assert names <= MAY_BE_INSTALLED
    size_mib = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file()) / 2**20
    print(f"Python {version}, NumPy {numpy}: {size_mib:.0f} MiB installed: {', '.join(sorted(names))}")  # noqa: T201
    assert size_mib < MAX_INSTALLED_MIB
    arguments = [str(python), "-I", "-c", PROGRAM, server_url, str(ROOT / "samples" / "cat.jpg")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    refused, used, *loaded = done.stdout.split()
    assert refused == "library-missing"
    assert used.startswith(numpy.strip(">=*").rstrip("."))
    assert loaded == [], "what only the command line or a refinement needs was imported"
