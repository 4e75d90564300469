"""Pictures without masks, labelled by a network that knows more than the one to train.

Training on another network's confident answers is pseudo-labelling (Lee 2013, "Pseudo-Label"). Unlike ``distil`` it
asks the teacher once for each picture instead of once for each step, so that one forty times as large costs little.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from alphacut_core.errors import EngineSourceError, InputError
from alphacut_core.geometry import Pixels
from alphacut_training import pairs
from alphacut_training.pairs import Finding, Pair
from alphacut_training.predictor import Saliency

_AS_ON_THE_DISK = "surrogateescape"
"""How names that are not UTF-8 are written, so that a run that goes on knows them again."""
_FIRMNESS = 1.15
"""Answers are drawn away from 0.5 by it, since a network's own seldom reach 0 and 1."""


_AGREEMENT = 0.75
"""Least IoU between a mask that is there and the network's answer; others are left out, since a mask of something else
than the subject, and a picture that both read differently, teach the wrong thing."""
_UNSURE = 0.22
"""Most pixels between 0.2 and 0.8, as a share of the subject's, in an answer that is to be a mask."""
_LEAST_AREA, _MOST_AREA = 0.02, 0.8
"""Of a subject, as a share of the picture."""
_EMPTY = 0.03
"""Largest area in which the network may see a subject in a picture that is said to have none."""


def label(
    saliency: Saliency, folder: Path, output: Path, progress: Callable[[int, int], None] | None = None
) -> tuple[int, list[Finding]]:
    """Make a dataset of the pictures whose subject is certain; run again, it goes on where it was ended.

    Args:
        saliency: The network that knows more; see ``predictor``.
        folder: ``images``, some of them with a mask in ``masks``, and ``backgrounds``, if any.
        output: Gets the same three folders, with copies, and ``labels.csv`` with what became of every picture.
        progress: Told how many of how many are done.

    Returns:
        How many pictures were taken, and a finding for each that was not.

    Raises:
        EngineSourceError: There is no picture.
    """
    pictures, backgrounds = (pairs.pictures(folder / part) for part in ("images", "backgrounds"))
    if not pictures and not backgrounds:
        raise EngineSourceError(f"got {folder}, where no pictures are; lay them into images/")
    masks = pairs.by_stem(folder / "masks")
    for part in ("images", "masks", "backgrounds"):
        (output / part).mkdir(parents=True, exist_ok=True)
    done = _told(output / "labels.csv")
    with (output / "labels.csv").open("a", newline="", errors=_AS_ON_THE_DISK) as file:
        lines = csv.writer(file)
        for index, path in enumerate([*pictures, *backgrounds]):
            key = f"{path.parent.name}/{path.name}"
            if key not in done:
                done[key] = _one(saliency, path, masks.get(path.stem), output)
                lines.writerow([key, done[key]])
                file.flush()
            if progress is not None:
                progress(index + 1, len(pictures) + len(backgrounds))
    left_out = [Finding(key, problem) for key, problem in done.items() if problem]
    return len(done) - len(left_out), left_out


def problem_of(answer: np.ndarray, mask: Pixels | None) -> str:
    """Say why a picture is not taken, or nothing.

    Args:
        answer: The network's saliency at the picture's size, float (H, W), 0 to 1.
        mask: The mask that is there, uint8 (H, W), or None.
    """
    subject = answer > 0.5
    if mask is not None:
        either = np.count_nonzero(subject | (mask > 127))
        both = np.count_nonzero(subject & (mask > 127))
        return "" if both >= _AGREEMENT * int(either) else "mask and network disagree"
    area = float(subject.mean())
    if area < _LEAST_AREA:
        return "no subject, or a very small one"
    if area > _MOST_AREA:
        return "all of it subject"
    if float(((answer > 0.2) & (answer < 0.8)).mean()) > _UNSURE * area:
        return "the network is unsure"
    return ""


def _one(saliency: Saliency, path: Path, mask_file: Path | None, output: Path) -> str:
    """Label one picture; return why it is left out, or nothing."""
    empty = path.parent.name == "backgrounds"
    try:
        if mask_file is not None and not empty:
            picture, truth = pairs.read(Pair(path.stem, path, mask_file))
            mask: Pixels | None = np.asarray(truth)
        else:
            picture, mask = pairs.decoded(path).convert("RGB"), None
    except InputError as error:
        return str(error)
    answer = _at_size(saliency(picture), picture)
    if empty:
        if float((answer > 0.5).mean()) >= _EMPTY:
            return "the network sees a subject"
    elif problem := problem_of(answer, mask):
        return problem
    elif mask_file is not None:
        shutil.copyfile(mask_file, output / "masks" / mask_file.name)
    else:
        firm = np.clip((answer - 0.5) * _FIRMNESS + 0.5, 0, 1)
        Image.fromarray(np.round(firm * 255).astype(np.uint8)).save(output / "masks" / f"{path.stem}.png")
    shutil.copyfile(path, output / path.parent.name / path.name)
    return ""


def _at_size(found: np.ndarray, picture: Image.Image) -> np.ndarray:
    return np.asarray(Image.fromarray(found).resize(picture.size, Image.Resampling.BILINEAR))


def _told(path: Path) -> dict[str, str]:
    """Read what was decided before; a line that a kill has torn off does not count."""
    if not path.exists():
        return {}
    text = path.read_text(errors=_AS_ON_THE_DISK)
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, errors=_AS_ON_THE_DISK)
    return dict(csv.reader(whole.splitlines()))
