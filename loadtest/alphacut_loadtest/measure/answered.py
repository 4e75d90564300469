"""Whether anybody answers at all."""

from __future__ import annotations

from collections.abc import Mapping

from alphacut_core.errors import AlphacutError
from alphacut_loadtest.measure.window import Window


class NoAnswerError(AlphacutError):
    """Nothing was answered as it should be, so there is nothing to measure."""

    code = "no-answer"


def check_answered(seen: Window, callers: int, words: Mapping[str, str]) -> None:
    """Check that closed callers got something, and not only broken files back, which takes no server.

    Args:
        seen: What they saw.
        callers: How many there were.
        words: First words of the server, or of the way to it, for each kind of outcome that was not wanted.

    Raises:
        NoAnswerError: They got nothing; with those words.
    """
    if not (seen.achieved_per_s and seen.answered):
        raise NoAnswerError(
            f"with callers={callers} nothing was answered in {seen.duration_s:g} s: "
            f"{'; '.join(words.values()) or 'without a word'}; see whether the address is right and the server is well"
        )
