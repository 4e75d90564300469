"""What is served: all that is built, or what was named; the rest is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alphacut_core import installed, tiers
from alphacut_core.errors import ServerStartError
from alphacut_core.tiers import Mode
from alphacut_server import served
from alphacut_server.served import Wish


def install(repository: Path, model: str, tier: Mode, version: int = 1) -> None:
    engine = tiers.pipeline(model, tier).engine
    folder = repository / engine / str(version)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"slot": model, "tier": tier, "native_size": 320}))
    config = installed.config_path(repository, engine)
    config.parent.mkdir(exist_ok=True)
    config.write_text(f'name: "{engine}"\nversion_policy {{\n  specific {{\n    versions: {version}\n  }}\n}}\n')


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    install(tmp_path, "silueta", "full")
    install(tmp_path, "u2netp", "lite")
    install(tmp_path, "u2netp", "full", version=12)
    return tmp_path


def names(repository: Path, wish: Wish) -> list[str]:
    return [engine.engine for engine in served.find(repository, wish)]


def test_all_that_is_built_is_served_the_default_network_first(repository: Path) -> None:
    assert names(repository, Wish()) == ["u2netp", "u2netp_lite", "silueta"]


def test_models_and_tiers_narrow_it_down(repository: Path) -> None:
    assert names(repository, Wish(models=("u2netp",))) == ["u2netp", "u2netp_lite"]
    assert names(repository, Wish(tiers=("full",))) == ["u2netp", "silueta"]
    assert names(repository, Wish(models=("u2netp",), tiers=("lite",))) == ["u2netp_lite"]


def test_tiers_that_are_meant_and_not_built_are_told(repository: Path) -> None:
    wish = Wish(models=("u2netp",))
    assert served.left_out(served.find(repository, wish), wish) == ["u2netp_medium"]
    narrow = Wish(models=("u2netp",), tiers=("full",))
    assert served.left_out(served.find(repository, narrow), narrow) == []


def test_a_named_network_that_is_not_built_is_an_error_with_what_is(repository: Path) -> None:
    with pytest.raises(ServerStartError, match=r"no built engine of u2net .*\(u2netp, u2netp_lite, silueta is\)"):
        served.find(repository, Wish(models=("u2net",)))


def test_an_empty_repository_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ServerStartError, match="run: alphacut build"):
        served.find(tmp_path, Wish())


def test_the_version_that_the_configuration_selects_is_the_one(repository: Path) -> None:
    engine = installed.find(repository, "u2netp")
    assert engine is not None
    assert (engine.version, engine.folder.name, engine.pipeline) == (12, "12", tiers.pipeline())


def test_a_selection_without_its_version_counts_as_not_built(repository: Path) -> None:
    (repository / "silueta" / "1" / "manifest.json").unlink()
    assert installed.find(repository, "silueta") is None
    assert "silueta" not in names(repository, Wish())
