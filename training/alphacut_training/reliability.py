"""How far a network's confidence can be believed.

The confidence of a picture is its saliency's maximum before the stretch, which the server returns with each mask.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

_BINS = 10
_FOUND_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Bin:
    """Pictures of similar confidence.

    Attributes:
        low: Smallest confidence that belongs here, 0 to 1.
        count: How many pictures.
        confidence: Their mean confidence.
        found: The share whose subject was found, with an IoU of at least 0.5; of pictures without a subject none.
    """

    low: float
    count: int
    confidence: float
    found: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Confidence against truth.

    Attributes:
        bins: Those that hold pictures, from 0 to 1.
        expected_error: Mean distance between confidence and share found, weighted by pictures (Naeini et al. 2015).
        separation: Probability that a picture with a subject has more confidence than one without (area under the
            ROC curve), or None where either kind is missing.
    """

    bins: tuple[Bin, ...]
    expected_error: float
    separation: float | None

    def facts(self) -> dict[str, object]:
        """Return all of it as JSON would have it."""
        return dataclasses.asdict(self)


def measure(with_subject: Sequence[tuple[float, float]], without: Sequence[float]) -> Reliability:
    """Bin pictures by confidence.

    Args:
        with_subject: Confidence and IoU of each picture with a subject.
        without: Confidence of each picture without.
    """
    outcomes = [(confidence, iou >= _FOUND_IOU) for confidence, iou in with_subject]
    outcomes += [(confidence, False) for confidence in without]
    bins = []
    for number in range(_BINS):
        members = [one for one in outcomes if min(_BINS - 1, int(one[0] * _BINS)) == number]
        if members:
            confidence = sum(one[0] for one in members) / len(members)
            found = sum(one[1] for one in members) / len(members)
            bins.append(Bin(number / _BINS, len(members), confidence, found))
    error = sum(one.count * abs(one.confidence - one.found) for one in bins) / max(1, len(outcomes))
    return Reliability(tuple(bins), error, _separation([one[0] for one in with_subject], without))


def _separation(with_subject: Sequence[float], without: Sequence[float]) -> float | None:
    if not with_subject or not without:
        return None
    wins = sum((high > low) + 0.5 * (high == low) for high in with_subject for low in without)
    return wins / (len(with_subject) * len(without))


def plot(reliability: Reliability) -> str:
    """Draw the diagram as SVG: confidence to the right, share found upwards, the diagonal is perfect."""
    side, margin = 320, 40
    bars = [
        f'<rect x="{margin + one.low * side:.1f}" y="{margin + (1 - one.found) * side:.1f}" '
        f'width="{side / _BINS - 2:.1f}" height="{one.found * side:.1f}" fill="#2e86de">'
        f"<title>{one.count} pictures, confidence "
        f"{one.confidence:.2f}, found {one.found:.2f}</title></rect>"
        for one in reliability.bins
    ]
    end = margin + side
    text = 'font-family="sans-serif" font-size="12" fill="#444"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{end + margin}" height="{end + margin}">',
            f'<rect width="{end + margin}" height="{end + margin}" fill="white"/>',
            *bars,
            f'<path d="M{margin},{end} L{end},{margin}" stroke="#888" stroke-dasharray="4"/>',
            f'<path d="M{margin},{margin} V{end} H{end}" stroke="#444" fill="none"/>',
            f'<text x="{margin + side / 2 - 30}" y="{end + 28}" {text}>confidence</text>',
            f'<text x="4" y="{margin - 10}" {text}>share of subjects found (IoU from 0.5)</text>',
            f'<text x="{margin + 8}" y="{margin + 16}" {text}>expected error {reliability.expected_error:.3f}</text>',
            "</svg>",
        ]
    )
