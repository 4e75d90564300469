"""Stage install: a finished engine becomes a version of its own, and serves from one moment to the next."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alphacut_core import installed
from alphacut_core.errors import EngineBuildError
from alphacut_core.folder_lock import alone
from alphacut_core.installed import Installed
from alphacut_engines import configs, facts, fingerprint, layout, manifest

_STAGING = ".installing"


@dataclass(slots=True)
class Version:
    """A version in the making.

    Attributes:
        number: Its directory's name.
        before: What it takes the place of, or None.
        folder: Where its files are put until they are complete, the manifest among them.
    """

    number: int
    folder: Path
    before: Installed | None


def again(repository: Path, engine: str, target: str, key: str) -> Installed | None:
    """Return the engine that serves if it is whole and came from the build called ``key``, else None.

    What stands around it is written as this release would; nothing where it is the same.

    Raises:
        EngineBuildError: No space, no permission.
    """
    model = repository / engine
    if not model.is_dir():
        return None
    with _changing(model):
        found = installed.find(repository, engine, target)
        if found is None or found.manifest.get("key") != key or not _is_whole(found.folder, found.manifest):
            return None
        _serve(repository, engine, target, found.version, _state(found.config))
    return found


def taken_back(repository: Path, engine: str, target: str, key: str) -> int | None:
    """Return the version that came from the build called ``key`` and was rolled back, or None."""
    version = _state(installed.config_path(repository, engine, target)).get(facts.ROLLED_BACK)
    found = manifest.read(repository / engine / str(version)) if version else None
    return version if found is not None and found.get("key") == key else None


@contextmanager
def version(repository: Path, engine: str, target: str) -> Iterator[Version]:
    """Yield an empty folder; at the end it is the next version of ``engine``, and serves.

    Everything is on the disk before one file, the target's configuration, changes in one step what is served. A
    build that fails or is killed before that leaves what is installed as it was. The version before stays, older
    ones go.

    Raises:
        EngineBuildError: No space, no permission.
    """
    model = repository / engine
    with _changing(model):
        place = model / _STAGING
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        try:
            made = Version(_next(model), place, installed.find(repository, engine, target))
            yield made
            _move_in(place, model / str(made.number))
        finally:
            shutil.rmtree(place)
        layout.link_engine_adapter(repository, model / str(made.number), target)
        state = {facts.PREVIOUS: made.before.version if made.before else None}
        _serve(repository, engine, target, made.number, state)
        _prune(model)


def to_roll_back(repository: Path, engine: str, target: str) -> tuple[Installed, int]:
    """Return the engine that serves, and the version that would serve in its place after roll-back.

    Raises:
        EngineBuildError: Nothing is installed, or nothing was before it.
    """
    now = installed.find(repository, engine, target)
    if now is None:
        raise EngineBuildError(f"there is no {engine} for {target} in {repository} to roll back; run: alphacut build")
    before = _state(now.config).get(facts.PREVIOUS)
    if before is None or manifest.read(repository / engine / str(before)) is None:
        raise EngineBuildError(
            f"{engine} for {target} has version {now.version} and none before it; build the one that you want"
        )
    return now, before


def roll_back(repository: Path, engine: str, target: str) -> Installed:
    """Serve the version before again, and return it. Twice is as never.

    Raises:
        EngineBuildError: Nothing is installed, nothing was before it, no space or no permission.
    """
    to_roll_back(repository, engine, target)  # before anything is made for the lock
    with _changing(repository / engine):
        now, before = to_roll_back(repository, engine, target)
        state = {facts.PREVIOUS: now.version, facts.ROLLED_BACK: now.version if before < now.version else None}
        _serve(repository, engine, target, before, state)
        found = installed.find(repository, engine, target)
    if found is None:
        raise EngineBuildError(f"{now.config} cannot be read any more; run: alphacut build --force")
    return found


def size_note(before: int, now: int) -> str:
    """Say what does not follow by itself: a running server goes on with the size that requests under way are for."""
    return f"; {now} pixels instead of {before}: restart servers that are to serve it" if now != before else ""


def _serve(repository: Path, engine: str, target: str, number: int, state: Mapping[str, int | None]) -> None:
    """Select a version, and lay out what stands around it: the version before may have had another size."""
    written = manifest.read(repository / engine / str(number))
    if written is None:
        raise EngineBuildError(f"version {number} of {engine} has no manifest; run: alphacut build --force")
    text = configs.text(facts.config(written, number, state))
    layout.lay_out(repository, written, target, text)


@contextmanager
def _changing(model: Path) -> Iterator[None]:
    """Have a model's folder alone, and say in words why it cannot be changed."""
    try:
        model.mkdir(parents=True, exist_ok=True)
        with alone(model):
            yield
    except OSError as error:
        raise EngineBuildError(
            f"stage install: cannot write {error.filename2 or error.filename or model}: {error.strerror}; "
            "what was installed is as it was; free space, mend permissions, or pass --repository"
        ) from error


def _state(config: Path) -> dict[str, int]:
    """Return which versions a target's configuration remembers."""
    if not config.is_file():
        return {}
    parameters = configs.read(config).parameters
    return {
        name: int(parameters[name].string_value) for name in (facts.PREVIOUS, facts.ROLLED_BACK) if name in parameters
    }


def _is_whole(folder: Path, written: Mapping[str, Any]) -> bool:
    return all(
        (folder / name).is_file() and fingerprint.of_file(folder / name) == sha256
        for name, sha256 in written["artefacts"].items()
    )


def _versions(model: Path) -> list[int]:
    return sorted(int(path.name) for path in model.iterdir() if path.name.isdigit() and path.is_dir())


def _next(model: Path) -> int:
    """Return one more than the last whole version; a number is never used for two engines."""
    return max((number for number in _versions(model) if manifest.read(model / str(number))), default=0) + 1


def _move_in(place: Path, folder: Path) -> None:
    """Move file by file, the manifest last: without it the next build uses the number again."""
    folder.mkdir(exist_ok=True)
    _empty(folder)
    files = sorted(place.iterdir(), key=lambda path: path.name == manifest.MANIFEST_FILE)
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for path in files:
        path.replace(folder / path.name)


def _prune(model: Path) -> None:
    """Take away versions that no target serves or could roll back to; the adapter in git stays."""
    kept: set[int] = set()
    for path in (model / "configs").glob("*.pbtxt"):
        kept.update(configs.read(path).version_policy.specific.versions, _state(path).values())
    for number in set(_versions(model)) - kept:
        folder = model / str(number)
        _empty(folder)
        if not any(folder.iterdir()):
            folder.rmdir()


def _empty(folder: Path) -> None:
    """Remove everything but adapters that are files of their own: those that are in git."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in layout.ADAPTER_FILES or path.is_symlink():
            path.unlink()
