"""The embedded server's own Python environment, made on first use and found again.

Its numpy must be older than 2 while callers want newer ones, so nothing of theirs is shared with it.
"""

from __future__ import annotations

import fcntl
import hashlib
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alphacut_core.errors import ServerStartError
from alphacut_server import interpreter, leashed, paths

_MEBIBYTE = 2**20
_NEEDED_BYTES = 500 * _MEBIBYTE
LOCK = Path(__file__).with_name("requirements.lock")


@dataclass(frozen=True, slots=True)
class Environment:
    """A finished environment.

    Attributes:
        folder: Root of the virtual environment.
        python: The interpreter it was made with.
    """

    folder: Path
    python: interpreter.Interpreter

    @property
    def packages(self) -> Path:
        """Its ``site-packages``."""
        return self.folder / "lib" / f"python{self.python.version}" / "site-packages"

    @property
    def complete(self) -> Path:
        """A file that is there once everything is installed."""
        return self.folder / "alphacut-complete"

    @property
    def usable(self) -> bool:
        """Whether it is complete, and the Python that made it is still there."""
        return self.complete.exists() and (self.folder / "bin" / "python").exists()

    @property
    def triton(self) -> Path:
        """The folder with ``bin/tritonserver`` and its backends."""
        return self.packages / "pytriton" / "tritonserver"

    @property
    def libraries(self) -> tuple[Path, ...]:
        """Folders of shared libraries that the server and its stubs need, first match first."""
        return (self.packages / "nvidia_pytriton.libs", self.python.library_folder)


def ensure(report: Callable[[str], None]) -> Environment:
    """Return the environment, making it first where there is none yet.

    Processes that ask at the same time wait for the one that makes it.

    Args:
        report: Called with one line a step when something has to be made.

    Raises:
        ServerStartError: The machine cannot run it, or pip failed.
    """
    environment = locate()
    folder = environment.folder
    if environment.usable:
        return environment
    with _exclusive(folder.with_name(f"{folder.name}.lock"), report):
        if not environment.usable:
            _make(environment, report)
    return environment


def locate() -> Environment:
    """Return the environment that ``ensure`` would make or find, be it there or not.

    Raises:
        ServerStartError: The machine cannot run it.
    """
    _check_machine()
    python = interpreter.find()
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    return Environment(paths.home() / f"server-py{python.version}-{digest}", python)


def _make(environment: Environment, report: Callable[[str], None]) -> None:
    folder = environment.folder
    shutil.rmtree(folder, ignore_errors=True)
    free = shutil.disk_usage(folder.parent).free  # before venv, which says something else than that the disk is full
    if free < _NEEDED_BYTES:
        raise ServerStartError(
            f"{folder.parent} has {free // _MEBIBYTE} MiB left, the embedded server's environment takes "
            f"{_NEEDED_BYTES // _MEBIBYTE}; make room or point ${paths.HOME_VARIABLE} elsewhere"
        )
    report(f"making the embedded server's environment in {folder} (once, about 200 MB to fetch)")
    _run([str(environment.python.executable), "-m", "venv", str(folder)], "make a virtual environment", folder)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    _run([*pip, "--no-deps", "--require-hashes", "--requirement", str(LOCK)], "install Triton and OpenVINO", folder)
    environment.complete.touch()
    report("the embedded server's environment is ready")


def _run(command: list[str], purpose: str, folder: Path) -> None:
    status, said = leashed.run(command)
    if status:
        tail = "\n".join(said.strip().splitlines()[-8:])
        raise ServerStartError(
            f"could not {purpose} in {folder} (exit status {status}). {_remedy(tail)}\n"
            f"command: {' '.join(command)}\n{tail}"
        )


def _remedy(tail: str) -> str:
    if "ensurepip" in tail:
        return "The venv module is incomplete; run: apt-get install python3-venv"
    if "No space left" in tail:
        return f"The disk is full; free 1 GB or point ${paths.HOME_VARIABLE} elsewhere."
    return "Check that the Python package index is reachable from here, then try again."


def _check_machine() -> None:
    system, machine = platform.system(), platform.machine()
    if (system, machine) != ("Linux", "x86_64"):
        raise ServerStartError(
            f"the embedded Triton runs on x86-64 Linux only, this is {machine} {system}; "
            "run the container from docker-compose.yml and pass its address with --url"
        )
    library, version = platform.libc_ver()
    if library == "glibc" and tuple(map(int, version.split(".")[:2])) < (2, 35):
        raise ServerStartError(f"the embedded Triton needs glibc 2.35 or newer, this is {version}; use the container")


@contextmanager
def _exclusive(lock: Path, report: Callable[[str], None]) -> Iterator[None]:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = lock.open("w")
    except OSError as error:
        raise ServerStartError(
            f"cannot write to {lock.parent} ({error}); point ${paths.HOME_VARIABLE} to a folder that can be written"
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(f"waiting for another process that makes the embedded server's environment (it holds {lock})")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
