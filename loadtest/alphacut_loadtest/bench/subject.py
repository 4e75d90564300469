"""What a contender's process offers to the bench."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

Call = Callable[[bytes], bytes]
"""From the bytes of an image file to the bytes of the answer; called in several threads at once."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all contenders share.

    Attributes:
        weights: The plain network, for rembg.
        repository: Triton's model repository with an engine built from the same weights.
        scratch: A folder of the bench's own, in which ``weights`` lies.
        pictures: Image files.
    """

    weights: Path
    repository: Path
    scratch: Path
    pictures: Sequence[Path]

    def to_json(self) -> str:
        """Return what ``from_json`` reads."""
        paths = [str(path) for path in (self.weights, self.repository, self.scratch, *self.pictures)]
        return json.dumps(paths)

    @classmethod
    def from_json(cls, text: str) -> Setting:
        """Read what ``to_json`` wrote, in another process."""
        weights, repository, scratch, *pictures = map(Path, json.loads(text))
        return cls(weights, repository, scratch, pictures)


class Subject(ABC):
    """One or several contenders in one process; a context that ends everything it started.

    Attributes:
        marks: What was reached while it started, and when by the system's clock.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.marks: dict[str, float] = {}

    def __enter__(self) -> Subject:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @abstractmethod
    def call(self, contender: str, concurrency: int) -> Call:
        """Return what the contender of that name does, set up for so many callers at once."""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Return the versions of what decides this subject's speed."""

    def stages_s(self) -> dict[str, float]:
        """Return seconds spent in each stage since the start, by this subject's own clocks."""
        return {}

    def awake(self) -> AbstractContextManager[None]:
        """Return the context in which orders are carried out; outside it the subject uses no processor time."""
        return nullcontext()
