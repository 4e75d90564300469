from __future__ import annotations

import dataclasses
import itertools
import random
from collections import Counter
from pathlib import Path

import pytest

from alphacut_core import codec
from alphacut_core.errors import InputError
from alphacut_loadtest.traffic.corpus import Corpus
from alphacut_loadtest.traffic.deck import Deck
from alphacut_loadtest.traffic.mix import FORMATS, Mix, Size

MIX = Mix(
    sizes={Size(64, 48): 3, Size(80, 60): 1},
    formats=dict.fromkeys(FORMATS, 1.0),
    modes={"full": 1, "lite": 1},
    decodes={"exact": 4, "fast": 1},
    corrupt=0.1,
    repeats=0.2,
)


def test_the_shares_of_a_deck_hold_in_every_fifty_draws() -> None:
    deck = Deck({"a": 3, "b": 1, "c": 1}, random.Random(0))
    for _ in range(5):
        assert Counter(deck.draw() for _ in range(50)) == {"a": 30, "b": 10, "c": 10}


def test_a_share_below_one_card_is_not_lost() -> None:
    deck = Deck({True: 0.005, False: 0.995}, random.Random(0))
    assert 10 < sum(deck.draw() for _ in range(5000)) < 50


def test_files_are_of_the_sizes_and_formats_asked_for_and_decodable() -> None:
    for file in Corpus(MIX).files:
        picture = codec.decode(file.data)
        assert f"{picture.width}x{picture.height}" in file.name
    assert len(Corpus(MIX).files) == 6


def test_every_file_differs_but_for_repeats_and_all_whole_ones_decode() -> None:
    seen: set[bytes] = set()
    for ask in itertools.islice(Corpus(MIX).asks(random.Random(1)), 100):
        if ask.repeated:
            assert ask.data in seen
        elif not ask.corrupt:
            assert ask.data not in seen
            codec.decode(ask.data)
            seen.add(ask.data)


def test_corrupt_files_are_refused_by_the_decoder() -> None:
    corrupt = [ask for ask in itertools.islice(Corpus(MIX).asks(random.Random(2)), 200) if ask.corrupt]
    assert len(corrupt) > 8
    for ask in corrupt:
        with pytest.raises(InputError):
            codec.decode(ask.data)


def test_shares_of_repeats_tiers_and_decoders_are_kept() -> None:
    asks = list(itertools.islice(Corpus(MIX).asks(random.Random(3)), 500))
    assert sum(ask.repeated for ask in asks) == pytest.approx(100, abs=3)
    assert Counter(ask.mode for ask in asks) == {"full": 250, "lite": 250}
    assert Counter(ask.decode for ask in asks) == {"exact": 400, "fast": 100}


def test_the_same_seed_asks_the_same_of_files_that_no_cache_knows_from_the_time_before() -> None:
    first, second = (list(itertools.islice(Corpus(MIX).asks(random.Random(4)), 60)) for _ in range(2))
    assert [dataclasses.replace(ask, data=b"") for ask in first] == [
        dataclasses.replace(ask, data=b"") for ask in second
    ]
    sent = [{ask.data for ask in asks if not ask.corrupt} for asks in (first, second)]
    assert not sent[0] & sent[1]


def test_a_cache_saves_the_making(tmp_path: Path) -> None:
    made = Corpus(MIX, cache=tmp_path).files
    assert {path.name for path in tmp_path.iterdir()} == {file.name for file in made}
    assert Corpus(MIX, cache=tmp_path).files == made


def test_a_folder_of_images_is_sent_instead(photographs: Path) -> None:
    assert {file.name for file in Corpus(MIX, photographs).files} == {"small.png", "large.jpg"}
    with pytest.raises(InputError, match="found no image file"):
        Corpus(MIX, photographs / "none")
    (photographs / "page.jpg").write_text("<html>")
    with pytest.raises(InputError, match=r"page\.jpg: got"):
        Corpus(MIX, photographs)
