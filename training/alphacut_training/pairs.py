"""A folder of one's own pictures: which can be trained on, and what is wrong with the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from alphacut_core import codec, file_names, formats
from alphacut_core.errors import EngineSourceError, InputError
from alphacut_training import truth

_LAYOUT = (
    "lay pictures into images/ and their masks, of the same names and sizes, into masks/; "
    "or transparent cut-outs into cutouts/ and pictures without a subject into backgrounds/"
)

MIN_PAIRS = 20
"""Fewer teach nothing and leave nothing to check on."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One picture and its mask.

    Attributes:
        name: The picture's file name without its suffix.
        image: The picture's file.
        mask: The mask's file, or None where the picture's own alpha is the mask.
    """

    name: str
    image: Path
    mask: Path | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A picture that is left out, and why."""

    name: str
    problem: str


def find(folder: Path) -> tuple[list[Pair], list[Finding]]:
    """Match pictures with masks by name; nothing is opened yet.

    Returns:
        The pairs in order of their names, and a finding for each picture without a mask, each
        mask without a picture, and each file beside another of its name.

    Raises:
        EngineSourceError: Neither ``images`` and ``masks`` nor ``cutouts`` is there.
    """
    images, masks, cutouts = (by_stem(folder / part) for part in ("images", "masks", "cutouts"))
    if not (images and masks) and not cutouts:
        raise EngineSourceError(f"got {folder}, where no pairs are; {_LAYOUT}")
    pairs = [Pair(name, images[name], masks[name]) for name in sorted(images.keys() & masks.keys())]
    pairs += [Pair(name, path, None) for name, path in sorted(cutouts.items())]
    findings = [Finding(name, "no mask of this name in masks/") for name in sorted(images.keys() - masks.keys())]
    findings += [Finding(name, "no picture of this name in images/") for name in sorted(masks.keys() - images.keys())]
    for part, known in (("images", images), ("masks", masks), ("cutouts", cutouts)):
        others = [path for path in pictures(folder / part) if known[path.stem] != path]
        findings += [Finding(path.name, f"another file in {part}/ has this name but for its ending") for path in others]
    return pairs, findings


def read(pair: Pair) -> tuple[Image.Image, Image.Image]:
    """Open a picture and its mask.

    Masks are brought to 8 bits grey; see ``truth.to_grey``.

    Returns:
        RGB and L, of the same size, upright.

    Raises:
        InputError: One of them cannot be decoded, or they do not fit together; the message names the remedy.
    """
    picture = decoded(pair.image)
    if pair.mask is None:
        if not picture.has_transparency_data:
            raise InputError("has no transparency; save cut-outs as PNG or WebP with alpha")
        rgba = picture.convert("RGBA")
        return rgba.convert("RGB"), rgba.getchannel("A")
    mask = _mask(pair.mask)
    if mask.size != picture.size:
        raise InputError(
            f"picture is {picture.width}x{picture.height}, its mask {mask.width}x{mask.height}; "
            "export the mask at the picture's size"
        )
    return picture.convert("RGB"), mask


def summary(findings: Iterable[Finding]) -> str:
    """Say how many pictures were left out for which reason, with a few names each."""
    findings = list(findings)
    counts = Counter(finding.problem for finding in findings)
    lines = []
    for problem, count in counts.most_common():
        names = [file_names.printable(finding.name) for finding in findings if finding.problem == problem]
        lines.append(f"{count} left out: {problem} ({', '.join(names[:3])}{', ...' if count > 3 else ''})")
    return "\n".join(lines)


def check_enough(n_pairs: int, folder: Path, findings: Iterable[Finding], at_least: int = MIN_PAIRS) -> None:
    """Refuse a dataset that is too small.

    Raises:
        EngineSourceError: There are fewer than ``at_least``.
    """
    if n_pairs < at_least:
        reasons = summary(findings)
        raise EngineSourceError(
            f"got {n_pairs} usable pairs in {folder}; at least {at_least} are needed"
            + (f". {reasons}" if reasons else "")
        )


def pictures(folder: Path) -> list[Path]:
    """Return the picture files of a folder in order of their names; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in formats.SUFFIXES)


def by_stem(folder: Path) -> dict[str, Path]:
    """Return the same by their names without suffixes; of several of one name the last."""
    return {path.stem: path for path in pictures(folder)}


def decoded(path: Path) -> Image.Image:
    """Open a picture, upright.

    Raises:
        InputError: It cannot be read or decoded.
    """
    try:
        return codec.decode(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}); check its permissions") from error


def _mask(path: Path) -> Image.Image:
    mask = truth.to_grey(decoded(path))
    # Decoding keeps the upper byte, in which a 1 is nothing.
    if not mask.getbbox() and codec.read_header(path.read_bytes()).mode.startswith("I;16"):
        raise InputError("its mask has 16 bits and no value from 256 on; export it as 8-bit grey")
    return mask
