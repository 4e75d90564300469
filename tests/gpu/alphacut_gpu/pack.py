"""Collect what a bare machine with an NVIDIA driver, Python 3.12 and PyTorch lacks: ``python -m alphacut_gpu.pack``."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import tomllib
from packaging.requirements import Requirement

from alphacut_gpu import carried
from alphacut_gpu.place import CHECKOUT

PYTHON = "3.12"
LIBRARY = f"libpython{PYTHON}.so.1.0"
"""What Triton's stub is linked to; Pythons built without a shared library do not bring it."""

OPTIONAL: Mapping[str, tuple[str, str]] = {
    "onnxruntime-gpu": ("onnx_cuda", "onnxruntime-gpu"),
    "nvimgcodec": ("decoding", "nvidia-nvimgcodec-cu13"),
    "dali": ("decoding", "nvidia-dali-cuda130"),
}
"""What is large and not needed: flag to folder and package."""

_EXTRAS = ("cli", "engines", "rtx")
_LOADTEST = ("gevent", "geventhttpclient", "locust", "prometheus-client", "psutil")
_PLATFORMS = (*(f"manylinux_2_{minor}_x86_64" for minor in range(39, 16, -1)), "manylinux2014_x86_64")
_LOCK = CHECKOUT / "requirements" / "dev.lock"


def main() -> None:
    """Fetch, check and write; say what there is and how large."""
    parser = argparse.ArgumentParser(prog="tests/gpu/pack.sh", description=__doc__)
    parser.add_argument("--out", type=Path, default=CHECKOUT / "out" / "gpu-pack")
    parser.add_argument("--with", dest="wanted", action="append", choices=sorted(OPTIONAL), default=[])
    parser.add_argument("--libpython", type=Path, help=f"{LIBRARY}, if it is not where systems have it.")
    parser.add_argument("--split", type=int, metavar="MB", help="Also write it in pieces of at most so many MB.")
    asked = parser.parse_args()
    folder = asked.out / "pack"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / carried.LIBRARIES).mkdir(parents=True)
    lock = CHECKOUT / "server" / "alphacut_server" / "requirements.lock"
    _download(folder / carried.FOR_SERVER, ["--no-deps", "--require-hashes", "--requirement", str(lock)])
    _driver(folder / carried.FOR_DRIVER)
    for name in asked.wanted:
        group, package = OPTIONAL[name]
        _download(folder / group, ["--no-deps", package])
    if library := asked.libpython or _library():
        shutil.copyfile(library, folder / carried.LIBRARIES / LIBRARY)
    else:
        _tell(f"{LIBRARY} is not on this machine: if the other lacks it too, Triton does not start; --libpython FILE")
    shutil.copytree(
        CHECKOUT / "model_repository", folder / carried.MODELS, ignore=shutil.ignore_patterns("__pycache__")
    )
    carried.write_sums(folder, carried.SUMS)
    for line in sizes(folder):
        _tell(line)
    if asked.split:
        pieces = asked.out / "pieces"
        shutil.rmtree(pieces, ignore_errors=True)
        made = carried.split(folder, pieces, asked.split * 10**6)
        _tell(f"{len(made)} pieces in {pieces}; carry all of them and {carried.PIECES}")


def constraints(lock: str) -> list[str]:
    """Return ``name==version`` of everything in a lock file that is meant for the Python there, without its hashes."""
    lines = re.findall(r"^[\w.\-]+(?:\[[\w,\-]+\])?==[^\\\n]+", lock, re.MULTILINE)
    pinned = [Requirement(line.strip()) for line in lines]
    there = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "platform_machine": "x86_64"}
    return [f"{one.name}{one.specifier}" for one in pinned if one.marker is None or one.marker.evaluate(there)]


def requirements(project: Mapping[str, dict[str, object]]) -> list[str]:
    """Return what the course imports of what ``pyproject.toml`` names; OpenVINO comes with the server's wheels."""
    known = project["project"]
    extras = known["optional-dependencies"]
    named = [*_names(known["dependencies"]), *_LOADTEST]
    for extra in _EXTRAS:
        named += _names(extras[extra] if isinstance(extras, dict) else ())
    return sorted({one for one in named if not one.startswith(("alphacut", "openvino"))})


def sizes(folder: Path) -> list[str]:
    """Return a line for each file of a megabyte and more, and one for the sum, in MB."""
    files = [(path, path.stat().st_size / 1e6) for path in sorted(folder.rglob("*")) if path.is_file()]
    lines = [f"{size:8.1f}  {path.relative_to(folder)}" for path, size in files if size >= 1]
    return [*lines, f"{sum(size for _, size in files):8.1f}  together, {len(files)} files"]


def _names(declared: object) -> Iterable[str]:
    """Yield the names of requirements, with their extras and without versions and conditions."""
    for text in declared if isinstance(declared, list) else ():
        one = Requirement(text)
        yield f"{one.name}[{','.join(sorted(one.extras))}]" if one.extras else one.name


def _driver(folder: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(constraints(_LOCK.read_text())))
        file.flush()
        names = requirements(tomllib.loads((CHECKOUT / "pyproject.toml").read_text()))
        _download(folder, ["--constraint", file.name, *names])
    # Its code comes from the checkout; its name and version are asked for.
    _run("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(CHECKOUT))


def _download(folder: Path, what: Sequence[str]) -> None:
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]
    target = ["--only-binary=:all:", "--implementation", "cp", "--python-version", PYTHON, *platforms]
    _run("download", "--dest", str(folder), *target, *what)


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, "-qq"], check=True)


def _library() -> Path | None:
    folders = (sysconfig.get_config_var("LIBDIR"), "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/local/lib")
    return next((path for folder in folders if folder and (path := Path(folder, LIBRARY)).is_file()), None)


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
