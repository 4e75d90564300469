"""Everything that an evaluation found, written into a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from alphacut_core import codec
from alphacut_training import evaluation, pairs, reliability, sheet
from alphacut_training.evaluation import Evaluation
from alphacut_training.predictor import Saliency

_WORST = 12


def write(
    found: Sequence[tuple[str, Evaluation]], networks: Sequence[tuple[str, Saliency]], data: Path, output: Path
) -> None:
    """Write ``table.md``, ``worst.png``, and for each network its means, its pictures and its reliability.

    Args:
        found: The evaluations by network.
        networks: The same networks in the same order.
        data: The folder that was evaluated; pictures without a subject in its ``backgrounds`` count for reliability.
        output: Where to; made if it is not there.
    """
    output.mkdir(parents=True, exist_ok=True)
    (output / "table.md").write_text(evaluation.table(found) + "\n")
    for (name, evaluated), (_, saliency) in zip(found, networks, strict=True):
        evaluated.write_csv(output / f"{name}.csv")
        seen = [(one.confidence, one.scores.iou) for one in evaluated.judged]
        without = _confidences(data / "backgrounds", saliency)
        measured = reliability.measure(seen, without)
        (output / f"{name}-reliability.svg").write_text(reliability.plot(measured))
        told = {"backgrounds": len(without), **measured.facts()}
        (output / f"{name}.json").write_text(json.dumps({**evaluated.facts(), "reliability": told}, indent=1))
    sheet.draw(found[0][1].worst(_WORST), networks).save(output / "worst.png")


def _confidences(folder: Path, saliency: Saliency) -> list[float]:
    return [float(saliency(codec.decode(path.read_bytes()).convert("RGB")).max()) for path in pairs.pictures(folder)]
