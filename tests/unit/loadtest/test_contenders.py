"""Who may compete."""

from __future__ import annotations

import pytest

from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest.bench.contenders import CONTENDERS, LIMIT, REFERENCE, choose


def test_all_compete_unless_some_are_named_and_their_order_stays() -> None:
    assert choose(None) == CONTENDERS
    assert [one.name for one in choose("engine, rembg-mask")] == ["rembg-mask", "engine"]


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidOptionError, match=r"got contender 'withoutbg'; allowed are rembg-mask, "):
        choose("engine,withoutbg")


def test_names_are_unique_and_the_baselines_are_among_them() -> None:
    names = [contender.name for contender in CONTENDERS]
    assert len(set(names)) == len(names)
    assert REFERENCE.name == "rembg-mask"
    assert LIMIT in names
