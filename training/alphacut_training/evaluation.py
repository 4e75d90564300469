"""A network measured on pictures with known masks."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alphacut_core.errors import InputError
from alphacut_training import metrics, pairs, predictor, subgroups
from alphacut_training.metrics import Scores
from alphacut_training.pairs import Finding, Pair
from alphacut_training.predictor import Saliency


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture's result.

    Attributes:
        pair: The files.
        scores: Its measures.
        groups: The kinds of picture it belongs to.
        confidence: Maximum of the saliency before the stretch, 0 to 1.
    """

    pair: Pair
    scores: Scores
    groups: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All pictures' results.

    Attributes:
        judged: In the order of the files' names.
        left_out: What could not be measured, and why.
    """

    judged: tuple[Judged, ...]
    left_out: tuple[Finding, ...]

    @property
    def overall(self) -> Scores:
        """Means over all pictures."""
        return metrics.mean([one.scores for one in self.judged])

    def by_group(self) -> dict[str, tuple[int, Scores]]:
        """Return size and means of every kind of picture that occurs."""
        members = {name: [one.scores for one in self.judged if name in one.groups] for name in subgroups.NAMES}
        return {name: (len(scores), metrics.mean(scores)) for name, scores in members.items() if scores}

    def worst(self, count: int) -> tuple[Judged, ...]:
        """Return the pictures with the largest errors, the worst first."""
        return tuple(sorted(self.judged, key=lambda one: one.scores.mae, reverse=True)[:count])

    def write_csv(self, path: Path) -> None:
        """Write one line a picture."""
        with path.open("w", newline="", errors="replace") as file:
            writer = csv.writer(file)
            names = list(self.judged[0].scores.named())
            writer.writerow(["name", *names, "confidence", "groups"])
            for one in self.judged:
                values = [f"{one.scores.named()[name]:.5f}" for name in names]
                writer.writerow([one.pair.name, *values, f"{one.confidence:.5f}", "; ".join(one.groups)])

    def facts(self) -> dict[str, object]:
        """Return the means, over all and over each kind."""
        groups = {name: {"pictures": count, **scores.named()} for name, (count, scores) in self.by_group().items()}
        facts = {"pictures": len(self.judged), "left_out": len(self.left_out), "overall": self.overall.named()}
        return {**facts, "groups": groups}


def evaluate(saliency: Saliency, folder: Path, progress: Callable[[int, int], None] | None = None) -> Evaluation:
    """Measure every picture of a folder at its own size.

    Args:
        saliency: The network; see ``predictor``.
        folder: With ``images`` and ``masks``; see ``pairs``.
        progress: Told how many of how many are done.

    Raises:
        EngineSourceError: No pairs are there, or none can be read.
    """
    found, left_out = pairs.find(folder)
    judged: list[Judged] = []
    for index, pair in enumerate(found):
        try:
            judged.append(_judge(saliency, pair))
        except InputError as error:
            left_out.append(Finding(pair.name, str(error)))
        if progress is not None:
            progress(index + 1, len(found))
    pairs.check_enough(len(judged), folder, left_out, at_least=1)
    return Evaluation(tuple(judged), tuple(left_out))


def _judge(saliency: Saliency, pair: Pair) -> Judged:
    picture, truth = pairs.read(pair)
    found = saliency(picture)
    true_mask = np.asarray(truth)
    scores = metrics.score(predictor.mask(found, picture), true_mask)
    return Judged(pair, scores, subgroups.of(np.asarray(picture), true_mask), float(found.max()))


def table(evaluations: Sequence[tuple[str, Evaluation]]) -> str:
    """Return a Markdown table: a line for all pictures and each kind, a pair of columns for each network."""
    head = ["pictures", "n"]
    for name, _ in evaluations:
        head += [f"{name}: max F-beta", "MAE", "S", "boundary IoU"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    rows = {"all": [(len(found.judged), found.overall) for _, found in evaluations]}
    for group in subgroups.NAMES:
        of_group = [found.by_group().get(group) for _, found in evaluations]
        if all(of_group):
            rows[group] = [entry for entry in of_group if entry is not None]
    for name, entries in rows.items():
        cells = [name, str(entries[0][0])]
        for _, scores in entries:
            cells += [
                f"{scores.max_f:.3f}",
                f"{scores.mae:.3f}",
                f"{scores.s_measure:.3f}",
                f"{scores.boundary_iou:.3f}",
            ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
