"""What finished stages made, kept so that a build that was cut short, or differs a little, does not make it again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alphacut_core.errors import EngineBuildError
from alphacut_core.folder_lock import alone, alone_if_free
from alphacut_engines import fetch, fingerprint

MAX_BYTES = 2 * 2**30
SUMS_FILE = "sha256.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one stage made.

    Attributes:
        folder: Its files, each as its checksum says.
        note: Words to add to what the stage says: that it was not made anew, or that what was kept was damaged.
    """

    folder: Path
    note: str


class StageCache:
    """A folder of results by the hash of all that they depend on. Several builds may share it.

    Args:
        shared: What every stage depends on: tools and code.
        refresh: Make everything anew.
        folder: Where results are kept; default: ``stages`` in the folder of Alphacut.
        max_bytes: The least recently used results go when all together are larger.
    """

    def __init__(
        self, shared: Mapping[str, Any], *, refresh: bool, folder: Path | None = None, max_bytes: int = MAX_BYTES
    ) -> None:
        self._shared = shared
        self._refresh = refresh
        self._folder = folder or fetch.cache_folder().with_name("stages")
        self._max_bytes = max_bytes

    def through(self, stage: str, inputs: Mapping[str, Any], make: Callable[[Path], None]) -> Entry:
        """Return what a stage makes of its inputs, from before if it was made before.

        Args:
            stage: Its name.
            inputs: All that it depends on besides ``shared``, as JSON.
            make: Writes the stage's files into an empty folder.

        Raises:
            EngineBuildError: The result cannot be kept.
        """
        facts = {"stage": stage, "inputs": inputs, "shared": self._shared}
        key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        kept = self._folder / f"{stage}-{key[:32]}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with alone(self._folder):
                damaged = kept.is_dir() and not _is_whole(kept)
                if kept.is_dir() and not damaged and not self._refresh:
                    os.utime(kept)
                    return Entry(kept, " (kept from an earlier build)")
            self._make(kept, make)
        except OSError as error:
            raise EngineBuildError(
                f"stage {stage}: cannot keep {error.filename or kept}: {error.strerror}; free space, or point "
                "ALPHACUT_HOME to a folder that can be written"
            ) from error
        return Entry(kept, " (made anew, what was kept was damaged)" if damaged else "")

    def prune(self) -> None:
        """Remove the least recently used results until the rest is small enough, and what killed builds left."""
        if not self._folder.is_dir():
            return
        with alone(self._folder):
            folders = [path for path in self._folder.iterdir() if path.is_dir()]
            for draft in folders:
                if _is_draft(draft):
                    _remove_left(draft)
            kept = [folder for folder in folders if not _is_draft(folder)]
            total = 0
            for folder in sorted(kept, key=lambda folder: folder.stat().st_mtime, reverse=True):
                total += sum(file.stat().st_size for file in folder.iterdir())
                if total > self._max_bytes:
                    shutil.rmtree(folder, ignore_errors=True)

    def _make(self, kept: Path, make: Callable[[Path], None]) -> None:
        replaced = _draft(kept)
        with self._drafting(kept) as draft:
            make(draft)
            sums = {path.name: fingerprint.of_file(path) for path in draft.iterdir()}
            (draft / SUMS_FILE).write_text(json.dumps(sums))
            with alone(self._folder):
                if kept.is_dir() and (self._refresh or not _is_whole(kept)):
                    kept.rename(replaced)
                if not kept.is_dir():  # else another build has made the same meanwhile, and may be reading it
                    draft.rename(kept)
        shutil.rmtree(replaced, ignore_errors=True)

    @contextmanager
    def _drafting(self, kept: Path) -> Iterator[Path]:
        """Make a folder to write to, and remove it if it is still there afterwards.

        It is locked meanwhile: the number of a process says nothing to builds in other containers.
        """
        draft = _draft(kept)
        with ExitStack() as stack:
            with alone(self._folder):  # prune must not find it before it is locked
                draft.mkdir()
                stack.enter_context(alone(draft))
            stack.callback(shutil.rmtree, draft, ignore_errors=True)
            yield draft


def _draft(kept: Path) -> Path:
    """Return a name beside ``kept`` that nobody else has."""
    return kept.with_name(f".{kept.name}.{uuid.uuid4().hex}")


def _is_draft(folder: Path) -> bool:
    return folder.name.startswith(".")


def _is_whole(folder: Path) -> bool:
    try:
        sums = json.loads((folder / SUMS_FILE).read_bytes())
    except (OSError, ValueError):
        return False
    return bool(sums) and all(
        (folder / name).is_file() and fingerprint.of_file(folder / name) == sha256 for name, sha256 in sums.items()
    )


def _remove_left(draft: Path) -> None:
    """Remove a draft if nobody makes it any more."""
    with contextlib.suppress(FileNotFoundError), alone_if_free(draft) as left:
        if left:
            shutil.rmtree(draft, ignore_errors=True)
