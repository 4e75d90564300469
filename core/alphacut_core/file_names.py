"""Names of files, for people to read."""

from __future__ import annotations


def printable(name: str) -> str:
    """Return a file's name as it can be printed and drawn: names of old disks are not UTF-8."""
    return name.encode(errors="replace").decode()
