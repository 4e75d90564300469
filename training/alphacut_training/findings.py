"""Everything that an evaluation found, written into a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from alphacut_core.errors import InputError
from alphacut_training import evaluation, pairs, reliability, sheet
from alphacut_training.evaluation import Evaluation
from alphacut_training.pairs import Finding
from alphacut_training.predictor import Saliency

_WORST = 12


def write(
    found: Sequence[tuple[str, Evaluation]], networks: Sequence[tuple[str, Saliency]], data: Path, output: Path
) -> list[Finding]:
    """Write ``table.md``, ``worst.png``, and for each network its means, its pictures and its reliability.

    Args:
        found: The evaluations by network.
        networks: The same networks in the same order.
        data: The folder that was evaluated; pictures without a subject in its ``backgrounds`` count for reliability.
        output: Where to; made if it is not there.

    Returns:
        The backgrounds that could not be read, which are left out.
    """
    left_out: list[Finding] = []
    output.mkdir(parents=True, exist_ok=True)
    (output / "table.md").write_text(evaluation.table(found) + "\n")
    for (name, evaluated), (_, saliency) in zip(found, networks, strict=True):
        evaluated.write_csv(output / f"{name}.csv")
        seen = [(one.confidence, one.scores.iou) for one in evaluated.judged]
        without, left_out = _confidences(data / "backgrounds", saliency)
        measured = reliability.measure(seen, without)
        (output / f"{name}-reliability.svg").write_text(reliability.plot(measured))
        told = {"backgrounds": len(without), "backgrounds_left_out": len(left_out), **measured.facts()}
        (output / f"{name}.json").write_text(json.dumps({**evaluated.facts(), "reliability": told}, indent=1))
    sheet.draw(found[0][1].worst(_WORST), networks).save(output / "worst.png")
    return left_out


def _confidences(folder: Path, saliency: Saliency) -> tuple[list[float], list[Finding]]:
    found, left_out = [], []
    for path in pairs.pictures(folder):
        try:
            found.append(float(saliency(pairs.decoded(path).convert("RGB")).max()))
        except InputError as error:
            left_out.append(Finding(f"{folder.name}/{path.name}", str(error)))
    return found, left_out
