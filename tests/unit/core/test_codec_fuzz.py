"""Whatever the bytes are, the codec gives a picture or a typed error, and never anything else."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphacut_core import codec, formats, geometry
from alphacut_core.errors import InputError

SIGNATURES = (
    b"",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"RIFF\x20\0\0\0WEBPVP8X",
    b"RIFF\x20\0\0\0WEBPVP8 ",
    b"RIFF\x20\0\0\0WEBPVP8L",
    b"BM",
    b"II*\0",
    b"MM\0+",
    b"GIF89a",
    b"\0\0\0\x1cftypavif",
    b"\0\0\0\x1cftypmif1",
    b"\0\0\0\x1cftypheic",
)


def decoded_size(data: bytes) -> tuple[int, int] | None:
    """Decode in every way there is; None for a typed error."""
    try:
        exact = codec.decode(data)
    except InputError:
        return None
    assert exact.mode in {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK"}
    assert geometry.to_square(exact, 8).shape == (8, 8, 3)
    codec.decode_reduced(data, 8)
    return exact.size


def header_size(data: bytes) -> tuple[int, int] | None:
    """Size by the header alone; None for a typed error."""
    try:
        header = codec.read_header(data)
    except InputError:
        return None
    return header.width, header.height


@given(start=st.sampled_from(SIGNATURES), rest=st.binary(max_size=400))
@settings(max_examples=600)
def test_any_bytes_give_a_picture_or_a_typed_error(start: bytes, rest: bytes) -> None:
    header_size(start + rest)
    decoded_size(start + rest)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Cut, shorten, lengthen or overwrite a file somewhere, near its start more often than elsewhere."""
    at = rng.randrange(min(len(data), rng.choice((32, 200, 600, len(data)))))
    kind = rng.choice(("cut", "shorten", "lengthen", "overwrite", "overwrite", "overwrite"))
    if kind == "cut":
        return data[:at]
    if kind == "shorten":
        return data[:at] + data[at + rng.choice((1, 2, 4, 100)) :]
    if kind == "lengthen":
        return data[:at] + rng.randbytes(rng.choice((1, 2, 4, 50))) + data[at:]
    length = rng.choice((1, 1, 2, 4))
    return data[:at] + rng.choice((rng.randbytes(length), b"\xff" * length, b"\0" * length)) + data[at + length :]


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_of_every_format_give_a_picture_or_a_typed_error(corpus: dict[str, bytes], seed: int) -> None:
    rng = random.Random(seed)
    for name in sorted(corpus):
        for _ in range(25):
            data = mutated(corpus[name], rng)
            size = decoded_size(data)
            assert size in (None, header_size(data)), f"{name}: header and pixels differ in size"


def test_sound_files_of_every_format_are_read_by_both_ways(corpus: dict[str, bytes]) -> None:
    for name, data in corpus.items():
        assert decoded_size(data) in {(53, 37), (37, 53)}, name
        assert header_size(data) == decoded_size(data), name


def test_the_corpus_holds_every_format_that_is_always_read(corpus: dict[str, bytes]) -> None:
    assert {formats.recognise(data) for data in corpus.values()} == set(formats.FORMATS)


def test_decoders_that_turn_warnings_into_errors_still_give_typed_errors(corpus: dict[str, bytes]) -> None:
    # Pillow warns of this directory before it gives up, and warnings are errors while these tests run.
    with pytest.raises(InputError):
        codec.decode(corpus["tiff-RGB"][:-40])
