"""What networks are called beside each other in tables, plots and files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path


def names(files: Sequence[Path]) -> list[str]:
    """Return a name for each file, no two alike.

    A file goes by its own name without the suffix; where others have it too, as every run's network.pth, by its
    folder's and its own; and where even these are alike, all have a number in front.
    """
    paths = [file.resolve() for file in files]
    counts = Counter(path.stem for path in paths)
    found = [path.stem if counts[path.stem] == 1 else f"{path.parent.name}-{path.stem}" for path in paths]
    if len(set(found)) == len(found):
        return found
    return [f"{number}-{name}" for number, name in enumerate(found, start=1)]
