"""What was carried to a machine without a network: joined, checked, and unpacked."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

SUMS, PYTHON = "SHA256SUMS", "PYTHON"
PIECES, ARCHIVE = "PIECES.sha256", "pack.tar"
FOR_SERVER, FOR_DRIVER, LIBRARIES, MODELS = "server", "driver", "libraries", "models"
OF_SECTIONS = ("onnx_cuda", "decoding")
"""Folders of wheels that one section alone imports, because they would be in the way of others."""

_BLOCK = 2**20
_INSTALL_S = 150
"""Ten times what it takes on two cores; so that a pip that hangs is told of within the time of a course."""


class PackError(Exception):
    """What was carried along is not what was packed."""


def sha256(path: Path) -> str:
    """Return a file's checksum."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def write_sums(folder: Path, name: str) -> None:
    """Write the checksums of all files below ``folder``, as sha256sum does."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != name]
    (folder / name).write_text("".join(f"{sha256(path)}  {path.relative_to(folder)}\n" for path in paths))


def check_sums(folder: Path, name: str) -> None:
    """Compare the files below ``folder`` with their checksums.

    Raises:
        PackError: One is missing or another one.
    """
    for line in (folder / name).read_text().splitlines():
        wanted, _, path = line.partition("  ")
        if not (folder / path).is_file():
            raise PackError(f"{folder / path} is missing; carry it too, or pack anew")
        if sha256(folder / path) != wanted:
            raise PackError(f"{folder / path} has another checksum than in {name}; carry it again")


def split(folder: Path, pieces: Path, piece_bytes: int) -> list[Path]:
    """Write ``folder`` as one archive in pieces of at most so many bytes, with their checksums."""
    pieces.mkdir(parents=True, exist_ok=True)
    whole = pieces / ARCHIVE
    with tarfile.open(whole, "w") as archive:
        archive.add(folder, arcname=".")
    made: list[Path] = []
    with whole.open("rb") as file:
        while block := file.read(piece_bytes):
            made.append(pieces / f"{ARCHIVE}.{len(made):03}")
            made[-1].write_bytes(block)
    whole.unlink()
    write_sums(pieces, PIECES)
    return made


def unpack(source: Path, target: Path) -> Path:
    """Make ``source`` ready: join pieces, compare checksums, install what sections import.

    Args:
        source: Folder that was packed, or folder of its pieces.
        target: Where to; nothing is there yet.

    Returns:
        ``target``, with the folders above and one in ``sites`` for each group of wheels.

    Raises:
        PackError: Something is missing or damaged, or meant for another Python.
    """
    target.mkdir(parents=True)
    if (source / PIECES).is_file():
        check_sums(source, PIECES)
        whole = target.with_name(f"{target.name}.tar")
        with whole.open("wb") as joined:
            for piece in sorted(source.glob(f"{ARCHIVE}.*")):
                joined.write(piece.read_bytes())
        with tarfile.open(whole) as archive:
            archive.extractall(target, filter="data")
        whole.unlink()
    elif (source / SUMS).is_file():
        for entry in source.iterdir():
            (target / entry.name).symlink_to(entry)
    else:
        raise PackError(f"got {source}, which has neither {SUMS} nor {PIECES}; make it with tests/gpu/pack.sh")
    check_sums(target, SUMS)
    here, packed = "{}.{}".format(*sys.version_info), (target / PYTHON).read_text()
    if packed != here:
        raise PackError(f"got a pack for Python {packed}, this is {here}; pack anew with --python {here}")
    for group in (FOR_DRIVER, *OF_SECTIONS):
        if (target / group).is_dir():
            _install(list(_wheels(target, group)), target / "sites" / group)
    return target


def _wheels(pack: Path, group: str) -> Iterator[Path]:
    yield from sorted((pack / group).glob("*.whl"))
    if group == FOR_DRIVER:
        yield from sorted((pack / FOR_SERVER).glob("openvino*.whl"))  # the same there and here, and large


def _install(wheels: list[Path], site: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index"]
    command += ["--no-deps", "--no-compile", "--target", str(site), *map(str, wheels)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise PackError(
            f"pip does not install what was carried along within {_INSTALL_S} s; is the disk slow?"
        ) from error
    if done.returncode:
        raise PackError(f"pip does not install what was carried along: {(done.stdout + done.stderr)[-600:]}")
