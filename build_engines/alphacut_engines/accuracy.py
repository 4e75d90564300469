"""What is known of an engine's masks, in the few figures that its clients are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alphacut_engines import report
from alphacut_engines.agreement import Agreement
from alphacut_engines.order import Order
from alphacut_engines.photographs import FOLDER
from alphacut_engines.report import Report
from alphacut_engines.tier_loss import TierLoss


def of_tier(loss: TierLoss) -> Mapping[str, Any]:
    """Return the figures of a smaller tier."""
    return _figures(loss.agreement, loss.photographs)


def of_full(
    order: Order, evidence: str, precision: str, judged: Report | None, source_sha256: str
) -> Mapping[str, Any] | None:
    """Return the figures of a full tier, or None where nothing was measured.

    What was measured on photographs when the weights were bundled says more than a few sample pictures do.

    Args:
        order: What is built.
        evidence: Name of the report beside bundled weights.
        precision: Of the engine.
        judged: What the gate measured here.
        source_sha256: Checksum of the network's file.
    """
    path = order.recipe.known(f"{evidence}.gate.json")
    known = report.read(path) if path else None
    for found in (judged if judged and judged.photographs == FOLDER else None, known, judged):
        if found is None or found.source_sha256 != source_sha256:
            continue
        for row in found.rows:
            if row.precision == precision:
                return _figures(row.agreement, found.photographs)
    return None


def _figures(found: Agreement, photographs: str) -> Mapping[str, Any]:
    return {
        "mean_difference": found.mean_difference,
        "mean_iou": found.mean_iou,
        "iou_p1": found.iou_p1,
        "pictures": found.pictures,
        "photographs": photographs,
    }
