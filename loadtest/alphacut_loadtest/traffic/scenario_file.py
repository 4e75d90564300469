"""Scenarios in TOML, and from one process to another in JSON."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from alphacut_core import bundled
from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest.traffic import slo
from alphacut_loadtest.traffic.mix import Mix, Size
from alphacut_loadtest.traffic.scenario import Lane, Scenario, Stage

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_Made = TypeVar("_Made")


def load(named: str) -> Scenario:
    """Return a scenario by its name in ``scenarios/`` or by the path of a TOML or JSON file.

    Raises:
        InvalidOptionError: There is none, or something in it is not as it should be.
    """
    path = Path(named) if named.endswith((".toml", ".json")) else bundled.SCENARIOS / f"{named}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in bundled.SCENARIOS.glob("*.toml")))
        raise InvalidOptionError(f"found no scenario {named!r}; there are {known}, or give the path of a TOML file")
    try:
        content = json.loads(path.read_text()) if path.suffix == ".json" else tomllib.loads(path.read_text())
    except ValueError as error:  # of which both kinds of syntax errors are
        raise InvalidOptionError(f"{path} cannot be read: {error}") from error
    try:
        return parse(content, path.stem)
    except InvalidOptionError as error:
        raise InvalidOptionError(f"in {path}: {error}") from error


def parse(content: Mapping[str, Any], name: str) -> Scenario:
    """Read a scenario from the tables of a TOML file.

    Raises:
        InvalidOptionError: A key is unknown or missing, or a value does not fit.
    """
    values = _checked(Scenario, content, "the scenario")
    values["stages"] = tuple(_made(Stage, one, "a stage") for one in _tables(values["stages"], "stages"))
    values["lanes"] = tuple(_lane(one) for one in _tables(values["lanes"], "lanes"))
    values["slo"] = slo.parse(str(values["slo"]))
    values["gateway"] = {key: str(value) for key, value in _table(values.get("gateway", {}), "gateway").items()}
    return Scenario(**{"name": name, **values})


def to_json(scenario: Scenario) -> str:
    """Return what ``load`` reads from a file ending in ``.json``."""

    def lane(one: Lane) -> dict[str, Any]:
        mix = {key: getattr(one.mix, key) for key in (field.name for field in dataclasses.fields(Mix))}
        mix["sizes"] = {str(size): share for size, share in one.mix.sizes.items()}
        return {"name": one.name, "share": one.share, "callers": one.callers, "mix": mix}

    return json.dumps(
        {
            **{key: getattr(scenario, key) for key in ("name", "about", "warmup_s", "timeout_s", "protocol")},
            "gateway": dict(scenario.gateway),
            "slo": str(scenario.slo),
            "stages": [dataclasses.asdict(stage) for stage in scenario.stages],
            "lanes": [lane(one) for one in scenario.lanes],
        }
    )


def _lane(table: Mapping[str, Any]) -> Lane:
    values = _checked(Lane, table, "a lane")
    mix = _checked(Mix, values.get("mix", {}), "a mix")
    if "sizes" in mix:
        mix["sizes"] = {Size.parse(str(size)): share for size, share in mix["sizes"].items()}
    return Lane(**{**values, "mix": Mix(**mix)})


def _made(kind: type[_Made], table: Mapping[str, Any], what: str) -> _Made:
    return kind(**_checked(kind, table, what))


def _table(got: object, what: str) -> Mapping[str, Any]:
    if not isinstance(got, Mapping):
        raise InvalidOptionError(f"got {got!r} for {what}; give a table")
    return got


def _tables(got: object, what: str) -> Sequence[Any]:
    if not isinstance(got, Sequence) or isinstance(got, str):
        raise InvalidOptionError(f"got {got!r} for {what}; give a list of tables")
    return got


def _checked(kind: type[Any], table: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return the table as keyword arguments once its keys, and its texts and numbers, are those of ``kind``."""
    _table(table, what)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = [key for key in table if key not in fields]
    if unknown:
        raise InvalidOptionError(f"got {unknown[0]!r} in {what}; allowed are {', '.join(fields)}")
    needed = [
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
        and name != ("name" if kind is Scenario else "mix")  # that of the file, and one that asks for nothing special
    ]
    missing = [name for name in needed if name not in table]
    if missing:
        raise InvalidOptionError(f"found no {missing[0]!r} in {what}; give {', '.join(needed)}")
    for key, value in table.items():
        _check_type(str(fields[key].type), key, value, what)
    return dict(table)


def _check_type(kind: str, key: str, value: object, what: str) -> None:
    if kind == "str" and not isinstance(value, str):
        raise InvalidOptionError(f"got {key} = {value!r} in {what}; give a text in quotes")
    if kind == "float" and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise InvalidOptionError(f"got {key} = {value!r} in {what}; give a number")
    if kind.startswith("Mapping[") and kind.endswith(", float]"):
        for name, share in _table(value, key).items():
            _check_type("float", str(name), share, f"{key} of {what}")
