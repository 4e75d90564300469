"""One thing that fails is told and stops no other; what nobody foresaw is a failure at the end."""

from __future__ import annotations

from typing import Any

import pytest

from alphacut_core.errors import EngineError


def test_what_fails_is_told_and_the_next_is_tried() -> None:
    from alphacut_gpu.place import NotRunError
    from alphacut_gpu.trying import Trying

    trying, entries = Trying(), [{} for _ in range(3)]
    for entry, error in zip(entries, (EngineError("no engine"), NotRunError("no GPU"), None), strict=True):
        with trying.one("this", entry):
            if error is not None:
                raise error
    assert entries == [{"refused": "no engine"}, {"refused": "no GPU"}, {}]
    trying.end()


def test_an_error_of_a_library_is_told_at_once_and_raised_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    from alphacut_gpu.trying import Trying

    trying, entry = Trying(), dict[str, Any]()
    with trying.one("DALI", entry, "not_run"):
        raise TypeError("planted")
    assert entry == {"not_run": "TypeError: planted"}
    assert "Traceback" in capsys.readouterr().err
    with pytest.raises(RuntimeError, match=r"^DALI: TypeError: planted$"):
        trying.end()
