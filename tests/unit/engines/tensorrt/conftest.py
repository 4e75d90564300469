"""A double of TensorRT's bindings that has the names of one real version and no others.

It computes nothing. Whatever name, number of arguments or assignment the real bindings would not take, it does not
take either, so that code which runs through it uses names that exist.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = Path(__file__).with_name("names.json")
_NAME = re.compile(
    r"(?P<class>[\w.]+)\.(?P<attribute>\w+)(?:\((?P<parameters>.*?)\)(?: -> (?P<result>.*))?|: (?P<kind>.*))"
)


@dataclass(frozen=True)
class Member:
    """What one name stands for: a method has parameters, a property or an enumerator has not."""

    result: str
    parameters: inspect.Signature | None = None
    writable: bool = False


@dataclass
class Bindings:
    """One version's names.

    Attributes:
        version: TensorRT's.
        classes: Class to attribute to what it is.
        answers: ``Class.attribute`` to what it returns instead of a double of its type.
        used: Every ``Class.attribute`` that was used.
    """

    version: str
    classes: dict[str, dict[str, Member]]
    answers: dict[str, Any] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def value(self, owner: str, attribute: str) -> Any:
        """What a method returns or a property is."""
        name = f"{owner}.{attribute}"
        if name in self.answers:
            return self.answers[name]
        result = self.classes[owner][attribute].result
        simple = {"None": None, "bool": True, "int": 1, "str": "{}"}
        if result in simple:
            return simple[result]
        # The bindings name some classes as C++ does.
        (cls,) = {result, result.removeprefix("I")} & set(self.classes)
        return double_of(cls, self)(_made=True)

    def look_up(self, owner: str, attribute: str) -> Member:
        members = self.classes[owner]
        if attribute not in members:
            raise AttributeError(f"TensorRT {self.version} has no {owner}.{attribute}")
        self.used.add(f"{owner}.{attribute}")
        return members[attribute]


class Enumerator(int):
    """A member of an enumeration."""


class Kind(type):
    """Makes ``Class.ENUMERATOR`` and ``Outer.Inner`` work."""

    def __getattr__(cls, attribute: str) -> Any:
        bindings, name = cls._bindings, cls._name
        if f"{name}.{attribute}" in bindings.classes:
            return double_of(f"{name}.{attribute}", bindings)
        member = bindings.look_up(name, attribute)
        assert member.result == name, f"{name}.{attribute} belongs to objects, not to the class"
        return Enumerator(sorted(bindings.classes[name]).index(attribute))


class Double(metaclass=Kind):
    """An object of the bindings."""

    _bindings: Bindings
    _name: str

    def __init__(self, *arguments: Any, _made: bool = False, **named: Any) -> None:
        if not _made:
            self._call("__init__", *arguments, **named)

    def _call(self, attribute: str, *arguments: Any, **named: Any) -> Any:
        member = self._bindings.look_up(self._name, attribute)
        if member.parameters is not None:
            member.parameters.bind(*arguments, **named)
        return None if attribute == "__init__" else self._bindings.value(self._name, attribute)

    def __getattr__(self, attribute: str) -> Any:
        member = self._bindings.look_up(self._name, attribute)
        if member.parameters is None:
            return self._bindings.value(self._name, attribute)
        return lambda *arguments, **named: self._call(attribute, *arguments, **named)

    def __setattr__(self, attribute: str, value: Any) -> None:
        if "_bindings" in type(self).__dict__:  # classes derived in Python may have attributes of their own
            assert self._bindings.look_up(self._name, attribute).writable, f"{self._name}.{attribute} is read only"
        else:
            super().__setattr__(attribute, value)

    def __bytes__(self) -> bytes:
        assert self._name == "IHostMemory"
        return b"what TensorRT made"


def double_of(name: str, bindings: Bindings) -> type[Double]:
    return Kind(name, (Double,), {"_bindings": bindings, "_name": name})


class Module:
    """The module itself."""

    def __init__(self, bindings: Bindings) -> None:
        self.bindings = bindings
        self.__version__ = bindings.version

    def __getattr__(self, name: str) -> Any:
        if name not in self.bindings.classes:
            raise AttributeError(f"TensorRT {self.bindings.version} has no {name}")
        return double_of(name, self.bindings)


def bindings_of(version: str) -> Bindings:
    classes: dict[str, dict[str, Member]] = {}
    for group in json.loads(NAMES.read_text())["groups"]:
        for name in group["names"] if version in group["versions"] else ():
            found = _NAME.fullmatch(name)
            classes.setdefault(found["class"], {})[found["attribute"]] = _member(found)
    return Bindings(version, classes)


def _member(found: re.Match[str]) -> Member:
    if found["kind"] is not None:
        writable = found["kind"].startswith("writable ")
        return Member(found["kind"].split()[-1], None, writable)
    if found["parameters"] == "*":
        anything = [inspect.Parameter(name, kind) for name, kind in (("arguments", 2), ("named", 4))]
        return Member(found["result"] or "None", inspect.Signature(anything))
    parameters = [
        inspect.Parameter(name.rstrip("="), 1, default=None if name.endswith("=") else inspect.Parameter.empty)
        for name in filter(None, found["parameters"].split(", "))
    ]
    return Member(found["result"] or "None", inspect.Signature(parameters))


@pytest.fixture
def make_tensorrt() -> Callable[..., Any]:
    """A factory of modules with the names of one version; answers may be given by ``Class.attribute``."""

    def make(version: str, **answers: Any) -> Module:
        module = Module(bindings_of(version))
        module.bindings.answers.update({name.replace("__", "."): value for name, value in answers.items()})
        return module

    return make
