"""Which engines a server starts again with; tests/e2e/test_switch.py sees how they come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from alphacut_core import installed
from alphacut_core.errors import InferenceError
from alphacut_core.installed import Installed
from alphacut_server import switch
from alphacut_server.served import Wish
from alphacut_server.switch import Switch


class RefusingHealth:
    """A server that loads nothing."""

    def __init__(self, _url: str) -> None:
        pass

    def load(self, model: str, _timeout_s: float) -> None:
        raise InferenceError(f"Triton refuses {model}")

    def close(self) -> None:
        pass


def engine(name: str, config: Path) -> Installed:
    manifest = {"slot": "u2netp", "tier": "full", "native_size": 320, "artefacts": {}}
    return Installed(name, 1, config, f"versions of {name}", config.parent, manifest)


def test_a_server_starts_again_without_what_was_refused_where_the_repository_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, broken = engine("u2netp", tmp_path / "config"), engine("u2net", tmp_path)  # a folder is not unlinked
    monkeypatch.setattr(switch, "Health", RefusingHealth)
    monkeypatch.setattr(installed, "find_all", lambda _repository: [good, broken])
    said: list[str] = []
    watching = Switch("", tmp_path, Wish(), include=lambda _engine: None, report=said.append)
    assert watching.begin([good]) == [good]
    watching.look()
    assert watching.begin([good, broken]) == [good]
    assert said[0] == "u2net is not served: Triton refuses remove_background"
    assert said[1].startswith("u2net could not be taken back: ")
    assert watching.begin([broken]) == [broken], "a server that cannot start says why"
