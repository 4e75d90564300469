"""Collect what a bare machine with an NVIDIA driver, Python and PyTorch lacks: ``python -m alphacut_gpu.pack``."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import tomllib
from packaging.requirements import Requirement

from alphacut_gpu import carried, closure, libpython
from alphacut_gpu.place import CHECKOUT

OPTIONAL: Mapping[str, tuple[str, str]] = {
    "onnxruntime-gpu": ("onnx_cuda", "onnxruntime-gpu"),
    "nvimgcodec": ("decoding", "nvidia-nvimgcodec-cu13[nvjpeg]"),
    "dali": ("decoding", "nvidia-dali-cuda130"),
}
"""What is large and not needed: flag to folder and package. nvImageCodec decodes on the processor without its extra."""

_EXTRAS = ("cli", "engines", "rtx")
_LOADTEST = ("gevent", "geventhttpclient", "locust", "prometheus-client", "psutil")
_PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(libpython.GLIBC[1], 16, -1)),
    "manylinux2014_x86_64",
)
_LOCK = CHECKOUT / "requirements" / "dev.lock"


def main() -> int:
    """Fetch, check and write; say what there is and how large. The exit status is 1 if something is missing."""
    parser = argparse.ArgumentParser(prog="tests/gpu/pack.sh", description=__doc__)
    parser.add_argument("--out", type=Path, default=CHECKOUT / "out" / "gpu-pack")
    parser.add_argument("--python", choices=libpython.VERSIONS, default=libpython.VERSIONS[-1], help="That runs there.")
    parser.add_argument("--with", dest="wanted", action="append", choices=sorted(OPTIONAL), default=[])
    parser.add_argument("--libpython", type=Path, help="Its shared library, if it is not where systems have it.")
    parser.add_argument("--split", type=int, metavar="MB", help="Also write it in pieces of at most so many MB.")
    asked = parser.parse_args()
    folder = asked.out / "pack"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / carried.LIBRARIES).mkdir(parents=True)
    lock = CHECKOUT / "server" / "alphacut_server" / "requirements.lock"
    _download(folder / carried.FOR_SERVER, asked.python, ["--no-deps", "--require-hashes", "--requirement", str(lock)])
    missing = _driver(folder / carried.FOR_DRIVER, asked.python)
    for group in sorted({OPTIONAL[name][0] for name in asked.wanted}):
        packages = sorted({OPTIONAL[name][1] for name in asked.wanted if OPTIONAL[name][0] == group})
        missing += _of_section(folder / group, folder / carried.FOR_DRIVER, asked.python, packages)
    if missing:
        print(f"error: not found for Python {asked.python}: {'; '.join(missing)}", file=sys.stderr)
        return 1
    library = libpython.name(asked.python)
    if path := asked.libpython or libpython.find(asked.python):
        shutil.copyfile(path, folder / carried.LIBRARIES / library)
    else:
        _tell(f"{library} is not on this machine: if the other lacks it too, Triton does not start; --libpython FILE")
    shutil.copytree(
        CHECKOUT / "model_repository", folder / carried.MODELS, ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / carried.PYTHON).write_text(asked.python)
    carried.write_sums(folder, carried.SUMS)
    for line in sizes(folder):
        _tell(line)
    if asked.split:
        pieces = asked.out / "pieces"
        shutil.rmtree(pieces, ignore_errors=True)
        made = carried.split(folder, pieces, asked.split * 10**6)
        _tell(f"{len(made)} pieces in {pieces}; carry all of them and {carried.PIECES}")
    return 0


def constraints(lock: str, python: str) -> list[str]:
    """Return ``name==version`` of everything in a lock file that is meant for the Python there, without its hashes."""
    lines = re.findall(r"^[\w.\-]+(?:\[[\w,\-]+\])?==[^\\\n]+", lock, re.MULTILINE)
    pinned = [Requirement(line.strip()) for line in lines]
    there = closure.environment(python)
    return [f"{one.name}{one.specifier}" for one in pinned if closure.applies(one, there)]


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


def _driver(folder: Path, python: str) -> list[str]:
    """Fetch what the course imports; return what of that is missing."""
    names = requirements(tomllib.loads((CHECKOUT / "pyproject.toml").read_text()))
    _download_pinned(folder, python, names)
    missing = closure.lacking(folder.glob("*.whl"), names, python)
    # Its code comes from the checkout; its name and version are asked for.
    _run("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(CHECKOUT))
    return missing


def _of_section(folder: Path, driver: Path, python: str, packages: Sequence[str]) -> list[str]:
    """Fetch what one section imports beside what all do; return what of that is missing."""
    _download_pinned(folder, python, packages)
    for wheel in folder.glob("*.whl"):
        if (driver / wheel.name).exists():
            wheel.unlink()
    return closure.lacking([*folder.glob("*.whl"), *driver.glob("*.whl")], packages, python)


def _download_pinned(folder: Path, python: str, names: Sequence[str]) -> None:
    """Fetch packages and what they need, in the versions of the lock where it has them."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(constraints(_LOCK.read_text(), python)))
        file.flush()
        _download(folder, python, ["--constraint", file.name, *names])


def _download(folder: Path, python: str, what: Sequence[str]) -> None:
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]
    target = ["--only-binary=:all:", "--implementation", "cp", "--python-version", python, *platforms]
    _run("download", "--dest", str(folder), *target, *what)


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, "-qq"], check=True)


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
