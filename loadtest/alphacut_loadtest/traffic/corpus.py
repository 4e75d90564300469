"""The image files that a lane sends: made of the sample photographs, or somebody's own."""

from __future__ import annotations

import io
import itertools
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from alphacut_core import bundled
from alphacut_core.errors import InputError
from alphacut_core.formats import SUFFIXES
from alphacut_core.options import Decode
from alphacut_core.tiers import Mode
from alphacut_loadtest.bench import pictures
from alphacut_loadtest.traffic.deck import Deck
from alphacut_loadtest.traffic.mix import Answer, Mix, PictureFormat, Size, Upload

_SUBJECTS = ("dahlia", "cat", "rocket", "coffee")
_QUALITY = 90
_KEPT_OF_CORRUPT = 0.6
_REMEMBERED = 20


@dataclass(frozen=True, slots=True)
class File:
    """An image file in memory; ``name`` says what it is."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to be sent.

    Attributes:
        file: Name of the picture that it was made of.
        data: The file's bytes.
        corrupt: Whether it is cut off, so that the right answer is a refusal.
        repeated: Whether these very bytes were sent before.
        mode: Tier.
        answer: What is asked for.
        decode: How the file is made small.
        upload: What of it is sent.
    """

    file: str
    data: bytes
    corrupt: bool
    repeated: bool
    mode: Mode
    answer: Answer
    decode: Decode
    upload: Upload


class Corpus:
    """The files of a mix, made once.

    Args:
        mix: Which sizes and formats.
        images: A folder of image files to send instead; sizes and formats of the mix then do not count.
        cache: An existing folder that keeps what is made for the next process.
    """

    def __init__(self, mix: Mix, images: Path | None = None, cache: Path | None = None) -> None:
        self._mix = mix
        self._given = _read(images) if images else []
        self._made: Mapping[tuple[Size, PictureFormat], File] = {}
        if not self._given:
            subjects = itertools.cycle(_SUBJECTS)
            self._made = {
                (size, form): _file(next(subjects), size, form, cache) for size in mix.sizes for form in mix.formats
            }

    @property
    def files(self) -> list[File]:
        """All pictures."""
        return self._given or list(self._made.values())

    def asks(self, rng: random.Random) -> Asks:
        """Return an endless supply of requests."""
        return Asks(self._mix, self._given, self._made, rng)


class Asks:
    """Requests without end; every file differs from all before it, of other runs too, unless it is a repeat."""

    def __init__(
        self,
        mix: Mix,
        given: Sequence[File],
        made: Mapping[tuple[Size, PictureFormat], File],
        rng: random.Random,
    ) -> None:
        self._rng = rng
        self._made = made
        self._given = Deck(dict.fromkeys(given, 1.0), rng) if given else None
        self._sizes, self._formats = Deck(mix.sizes, rng), Deck(mix.formats, rng)
        self._modes, self._answers, self._decodes = (Deck(of, rng) for of in (mix.modes, mix.answers, mix.decodes))
        self._uploads = Deck(mix.uploads, rng)
        self._corrupt = Deck({True: mix.corrupt, False: 1 - mix.corrupt}, rng)
        self._repeat = Deck({True: mix.repeats, False: 1 - mix.repeats}, rng)
        self._sent: list[tuple[str, bytes]] = []

    def __iter__(self) -> Asks:
        return self

    def __next__(self) -> Ask:
        ask = partial(
            Ask,
            mode=self._modes.draw(),
            answer=self._answers.draw(),
            decode=self._decodes.draw(),
            upload=self._uploads.draw(),
        )
        if self._repeat.draw() and self._sent:
            name, data = self._rng.choice(self._sent)
            return ask(name, data, corrupt=False, repeated=True)
        file = self._file()
        if self._corrupt.draw():
            cut = file.data[: int(_KEPT_OF_CORRUPT * len(file.data))]
            return ask(file.name, cut, corrupt=True, repeated=False)
        # Decoders stop at the picture's end, so bytes behind it make another file of the same picture.
        # Not by the seed: a gateway remembers the masks of earlier runs, and of earlier trials of the same seed.
        data = file.data + os.urandom(16)
        self._sent = [*self._sent[1 - _REMEMBERED :], (file.name, data)]
        return ask(file.name, data, corrupt=False, repeated=False)

    def _file(self) -> File:
        if self._given is not None:
            return self._given.draw()
        return self._made[self._sizes.draw(), self._formats.draw()]


def _read(folder: Path) -> list[File]:
    paths = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES] if folder.is_dir() else []
    if not paths:
        raise InputError(f"found no image file in {folder}; name a folder of photographs")
    files = [File(path.name, path.read_bytes()) for path in paths]
    for path, file in zip(paths, files, strict=True):
        pictures.read_header(path, file.data)
    return files


def _file(subject: str, size: Size, form: PictureFormat, cache: Path | None) -> File:
    name = f"{subject}-{size}.{form}"
    kept = cache / name if cache else None
    if kept is not None and kept.is_file():
        return File(name, kept.read_bytes())
    buffer = io.BytesIO()
    picture = pictures.photograph(bundled.SAMPLES, subject, size.width, size.height, np.random.default_rng(0))
    picture.save(buffer, {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[form], quality=_QUALITY)
    if kept is not None:
        kept.write_bytes(buffer.getvalue())
    return File(name, buffer.getvalue())
