"""What files in an archive may be called; none of it ever becomes a path on this machine."""

from __future__ import annotations

import re
import unicodedata

from alphacut_gateway.refusals import MalformedRequestError

_MAX_DEPTH = 8
_MAX_LENGTH = 200
_DRIVE = re.compile(r"[A-Za-z]:")
# What ends a line or controls a terminal, half characters, and what turns the direction of the letters around it.
_HARMFUL = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset({"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"})
_LEFT_OUT = ("__MACOSX", ".DS_Store", "Thumbs.db")


def check(name: str) -> str:
    """Return a name that is harmless to whoever unpacks an archive with it.

    Raises:
        MalformedRequestError: It is absolute, leaves its folder, or is no plain relative path.
    """
    parts = name.split("/")
    plain = all(map(_harmless, name)) and "\\" not in name and not _DRIVE.match(name)
    if not plain or not name or len(name) > _MAX_LENGTH or any(part in ("", ".", "..") for part in parts):
        raise MalformedRequestError(
            f"got a file named {name[:60]!r}; give relative names with / between folders, at most {_MAX_LENGTH} letters"
        )
    if len(parts) > _MAX_DEPTH:
        raise MalformedRequestError(f"got a file {len(parts)} folders deep; at most {_MAX_DEPTH} are accepted")
    return name


def _harmless(letter: str) -> bool:
    return unicodedata.category(letter) not in _HARMFUL and unicodedata.bidirectional(letter) not in _TURNING


def left_out(name: str) -> bool:
    """Say whether a file is what operating systems add to archives of photographs."""
    return any(part in _LEFT_OUT or part.startswith("._") for part in name.split("/"))


class Answers:
    """Names for answers: the image's with another ending, no two alike.

    Args:
        ending: Of the answers' format, without a dot.
    """

    def __init__(self, ending: str) -> None:
        self._ending = ending
        self._taken: set[str] = set()

    def name(self, of: str) -> str:
        """Return the name of the answer to an image."""
        folder, slash, file = of.rpartition("/")
        stem = file.rpartition(".")[0] or file
        number, candidate = 1, f"{folder}{slash}{stem}.{self._ending}"
        while _on_disk(candidate) in self._taken:
            number += 1
            candidate = f"{folder}{slash}{stem}-{number}.{self._ending}"
        self._taken.add(_on_disk(candidate))
        return candidate


def _on_disk(name: str) -> str:
    """Return what is equal for names that Windows or macOS take for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
