"""What callers may ask for, and what they may not."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphacut_core.errors import InvalidOptionError
from alphacut_core.options import Matting, Options

levels = st.integers(0, 255)
options = st.builds(
    Options,
    output=st.sampled_from(["cutout", "mask"]),
    color=st.sampled_from(["straight", "rembg"]),
    decode=st.sampled_from(["exact", "fast"]),
    format=st.sampled_from(["png", "webp"]),
    background=st.none() | st.tuples(levels, levels, levels, levels),
    post_process=st.booleans(),
    matting=st.none() | st.builds(Matting, levels, levels, levels),
    decontaminate=st.booleans(),
)


@given(wanted=options)
def test_options_survive_the_wire(wanted: Options) -> None:
    assert Options.from_wire(wanted.to_wire()) == wanted


def test_defaults_take_next_to_nothing_on_the_wire() -> None:
    assert Options().to_wire() == b"{}"
    assert Options(output="mask").to_wire() == b'{"output":"mask"}'


@pytest.mark.parametrize("data", [b"", b"  ", b"{}"])
def test_nothing_means_all_defaults(data: bytes) -> None:
    assert Options.from_wire(data) == Options()


def test_matting_given_as_an_empty_object_has_its_defaults() -> None:
    assert Options.from_wire(b'{"matting":{}}').matting == Matting()


@given(data=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_options_or_refused(data: bytes) -> None:
    with contextlib.suppress(InvalidOptionError):
        Options.from_wire(data)


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
json_values = st.recursive(
    values, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@given(name=st.sampled_from(sorted(Options.__slots__)), value=json_values)
@settings(max_examples=300)
def test_any_value_of_an_option_is_accepted_whole_or_refused(name: str, value: object) -> None:
    try:
        parsed = Options.from_wire(json.dumps({name: value}).encode())
    except InvalidOptionError:
        return
    assert Options.from_wire(parsed.to_wire()) == parsed


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[]", "got options of type list; send a JSON object"),
        (b"{output: mask}", "got options that are not JSON in UTF-8"),
        (b'\xff{"output":"mask"}', "got options that are not JSON in UTF-8"),
        (b"[" * 100_000, "got options that are not JSON in UTF-8"),
        (b'{"colour":"straight"}', "got unknown option 'colour'; allowed are output, color, decode, format"),
        (b'{"matting":{"radius":3}}', "got unknown option 'radius'; allowed are foreground_threshold"),
        (b'{"output":"alpha"}', "got output='alpha'; allowed are 'cutout', 'mask'"),
        (b'{"output":["mask"]}', r"got output=\['mask'\]; allowed are"),
        (b'{"post_process":1}', "got post_process=1; allowed are True and False"),
        (b'{"decontaminate":"yes"}', "got decontaminate='yes'; allowed are True and False"),
        (b'{"background":[1,2,3]}', r"got background=\(1, 2, 3\); give \(red, green, blue, alpha\), each 0 to 255"),
        (b'{"background":"nocolour"}', "got the colour 'nocolour'; give a name such as white"),
        (b'{"background":[0,0,0,256]}', "got background=256; allowed are whole numbers from 0 to 255"),
        (b'{"background":[0,0,0,1.5]}', "got background=1.5; allowed are whole numbers"),
        (b'{"background":[0,0,0,true]}', "got background=True; allowed are whole numbers"),
        (b'{"matting":true}', r"got matting=True; give a Matting\(...\) or None"),
        (b'{"matting":{"erode_size":-1}}', "got matting.erode_size=-1; allowed are whole numbers from 0 to 255"),
    ],
)
def test_what_is_not_allowed_is_refused_with_what_is(data: bytes, said: str) -> None:
    with pytest.raises(InvalidOptionError, match=said):
        Options.from_wire(data)


def test_options_cannot_be_changed_behind_a_request() -> None:
    with pytest.raises(AttributeError):
        Options().output = "mask"  # type: ignore[misc]


@pytest.mark.parametrize("value", ["x" * 100_000, list(range(100_000)), {"x" * 100_000: 1}])
@pytest.mark.parametrize("name", ["output", "background", "matting", "post_process"])
def test_a_message_stays_short_whatever_was_sent(name: str, value: object) -> None:
    for wire in ({name: value}, {str(value): name}):
        with pytest.raises(InvalidOptionError) as caught:
            Options.from_wire(json.dumps(wire).encode())
        assert len(str(caught.value)) < 500


def test_deeply_nested_values_are_refused() -> None:
    for depth in range(900, 1000, 7):
        with pytest.raises(InvalidOptionError):
            Options.from_wire(b'{"background":' + b"[" * depth + b"]" * depth + b"}")
