"""What callers may ask for, and what they may not."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from alphacut_core.background import Blur, Checkerboard, Gradient
from alphacut_core.errors import InvalidOptionError
from alphacut_core.options import Crop, Matting, Options, Refine
from tests.unit.core.wishes import options


@given(wanted=options)
def test_options_survive_the_wire(wanted: Options) -> None:
    assert Options.from_wire(wanted.to_wire()) == wanted


def test_defaults_take_next_to_nothing_on_the_wire() -> None:
    assert Options().to_wire() == b"{}"
    assert Options(output="mask").to_wire() == b'{"output":"mask"}'


@pytest.mark.parametrize("data", [b"", b"  ", b"{}"])
def test_nothing_means_all_defaults(data: bytes) -> None:
    assert Options.from_wire(data) == Options()


def test_a_colour_in_words_is_a_colour_in_numbers() -> None:
    assert Options(background="white") == Options(background=(255, 255, 255, 255))
    assert Options.from_wire(b'{"background":"#0f08"}').background == (0, 255, 0, 136)


@pytest.mark.parametrize(
    ("wanted", "wire"),
    [
        (Options(background=(1, 2, 3, 4)), b'{"background":[1,2,3,4]}'),
        (Options(background=Blur(3)), b'{"background":{"kind":"blur","radius_px":3}}'),
        (Options(background=Checkerboard(8)), None),
        (Options(background=Gradient((1, 2, 3, 4), (5, 6, 7, 8))), None),
        (Options(crop=Crop(margin_px=4)), b'{"crop":{"margin_px":4,"margin_percent":0.0,"alpha_from":13}}'),
        (Options(refine=Refine(band_px=4)), None),
    ],
)
def test_what_has_parts_travels_with_them(wanted: Options, wire: bytes | None) -> None:
    assert Options.from_wire(wanted.to_wire()) == wanted
    assert wire is None or wanted.to_wire() == wire


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"format": "jpeg"}, "knows no transparency, without an opaque background; give one, such as"),
        ({"format": "jpeg", "background": "#fff8"}, "without an opaque background"),
        ({"quality": 80}, "got quality for a lossless file"),
        ({"format": "webp", "lossless": True, "quality": 80}, "got quality for a lossless file"),
        ({"format": "avif", "lossless": True}, "got lossless with format='avif'; ask for webp, or for png"),
        ({"format": "webp", "png_level": 3}, "got png_level with format='webp'"),
        ({"refine": Refine(), "matting": Matting()}, "leave one of them out"),
        ({"trimap": Image.new("L", (2, 2))}, "got a trimap without refine"),
        ({"refine": Refine(), "trimap": Image.new("L", (2, 2), 7)}, "got 7 in a trimap; allowed are 0 background, 128"),
        ({"refine": Refine(), "trimap": Image.new("RGB", (2, 2))}, r"give a PIL image of mode L or a uint8 array"),
        ({"refine": Refine(), "trimap": np.zeros((2, 2))}, r"give a PIL image of mode L or a uint8 array \(H, W\)"),
    ],
)
def test_wishes_that_exclude_each_other_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOptionError, match=said):
        Options(**given)


def test_a_jpeg_of_a_mask_needs_no_background() -> None:
    assert Options(output="mask", format="jpeg").needs_pixels is False
    assert Options(format="jpeg", background="white").needs_pixels is True


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("background", {"background": Image.new("RGB", (2, 2))}),
        ("trimap", {"refine": Refine(), "trimap": np.zeros((2, 2), np.uint8)}),
    ],
)
def test_pictures_among_the_options_do_not_travel(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionError, match=f"got a picture as {name}, which cannot be sent .* on the client"):
        Options(**given).to_wire()


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


def test_numbers_of_numpys_are_pythons_from_the_first_moment() -> None:
    dots = np.array([1, 2, 3, 255], np.uint8)
    colour = tuple(dots)
    ours = (1, 2, 3, 255)
    for theirs, wanted in (
        (Options(threshold=np.uint8(5)), Options(threshold=5)),
        (Options(erode_px=np.int64(2), feather_px=np.float32(1.5)), Options(erode_px=2, feather_px=1.5)),
        (Options(min_confidence=np.float64(0.5), feather_px=np.int8(1)), Options(min_confidence=0.5, feather_px=1)),
        (Options(decontaminate=dots.any()), Options(decontaminate=True)),
        (Options(background=colour), Options(background=ours)),
        (Options(background=Gradient(colour, colour, dots.mean())), Options(background=Gradient(ours, ours, 65.25))),
        (
            Options(background=Checkerboard(dots[1], colour, colour)),
            Options(background=Checkerboard(2, ours, ours)),
        ),
        (Options(background=Blur(np.float32(3))), Options(background=Blur(3.0))),
        (Options(crop=Crop(dots[0], dots.mean(), dots[3])), Options(crop=Crop(1, 65.25, 255))),
        (Options(matting=Matting(dots[3], dots[1], dots[2])), Options(matting=Matting(255, 2, 3))),
        (Options(refine=Refine(dots[3], dots.sum(), dots.mean())), Options(refine=Refine(255, 261, 65.25))),
    ):
        assert theirs.to_wire() == wanted.to_wire()
        assert repr(theirs) == repr(wanted)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("threshold", np.True_, "got threshold=True; allowed are whole numbers from 1 to 255"),
        ("threshold", np.float64(5), "got threshold=5.0; allowed are whole numbers"),
        ("threshold", np.int64(256), "got threshold=256; allowed are whole numbers"),
        ("threshold", np.array([5]), "allowed are whole numbers from 1 to 255"),
        ("feather_px", np.float32("nan"), "got feather_px=nan; allowed are numbers from 0 to 1000"),
        ("feather_px", np.True_, "got feather_px=True; allowed are numbers"),
        ("decontaminate", np.uint8(1), "got decontaminate=1; allowed are True and False"),
        ("output", np.array(["mask", "cutout"]), "allowed are 'cutout', 'mask'"),
        ("background", (0, 0, 0, np.int64(-1)), "got background=-1; allowed are whole numbers"),
    ],
)
def test_of_numpys_numbers_too_only_those_that_are_allowed_pass(name: str, given: Any, said: str) -> None:
    with pytest.raises(InvalidOptionError, match=said):
        Options(**{name: given})


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
