"""What this machine's processor can do."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_NEEDED_FLAGS: Mapping[str, frozenset[str]] = {
    "bf16": frozenset({"avx512_bf16", "amx_bf16"}),
    "int8": frozenset({"avx512_vnni", "avx_vnni", "amx_int8"}),
}


def name() -> str:
    """Return the processor's name."""
    return _property("model name") or platform.machine()


def lacking(precision: str) -> str | None:
    """Return, in words, what this processor lacks to be fast in ``precision``, or None if it has it."""
    needed = _NEEDED_FLAGS.get(precision, frozenset())
    if not needed or needed & set(_property("flags").split()):
        return None
    return f"this processor has none of {', '.join(sorted(needed))}"


@cache
def _property(key: str) -> str:
    """Return a line of Linux's description of the first core, empty where there is none."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
    found = re.search(rf"^{key}\s*:\s*(.*)$", text, re.MULTILINE)
    return found[1] if found else ""
