"""Stage tier: what a network loses where it works on smaller pictures, against its own masks at full size."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alphacut_core import geometry
from alphacut_core.agreement import TIER_BOUNDS
from alphacut_core.errors import EngineBuildError, EngineParityError
from alphacut_core.tiers import Mode
from alphacut_engines import fuse, optimise, photographs, source
from alphacut_engines.agreement import Agreement, Comparison
from alphacut_engines.gate import MIN_PHOTOGRAPHS, Engine
from alphacut_engines.order import Order
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference


@dataclass(frozen=True, kw_only=True, slots=True)
class TierLoss:
    """One tier of one network against the full tier in FP32.

    Attributes:
        model: Name in the registry.
        source_sha256: Checksum of the network's file.
        tier: Name of the size.
        size: Side of its square in pixels.
        native_size: Side of the full tier's square, which is what masks are compared at.
        precision: What the smaller engine computed in.
        photographs: ``folder`` or ``samples``.
        agreement: Its masks against the full tier's.
    """

    model: str
    source_sha256: str
    tier: Mode
    size: int
    native_size: int
    precision: str
    photographs: str
    agreement: Agreement

    def to_json(self) -> str:
        """Return the loss, and the one that was declared, as JSON."""
        bounds = dataclasses.asdict(TIER_BOUNDS[self.tier])
        return json.dumps({**dataclasses.asdict(self), "bounds": bounds}, indent=2) + "\n"

    def check(self) -> None:
        """Compare with what the tier declares.

        Raises:
            EngineParityError: It loses more.
        """
        bounds, found = TIER_BOUNDS[self.tier], self.agreement
        if not bounds.hold(found.mean_difference, found.mean_iou):
            raise EngineParityError(
                f"stage tier: {self.model} at {self.size} pixels differs from itself at {self.native_size} by mean |Δ| "
                f"{found.mean_difference:.2f} of 255 ({self.tier} declares {bounds.mean_difference:g}) and mean "
                f"IoU {found.mean_iou:.4f} (at least {bounds.mean_iou:g}) on {found.pictures} pictures; worst is "
                f"{found.worst!r} with IoU {found.worst_iou:.3f}; train it for small pictures, or build --tier full"
            )


def read(path: Path) -> TierLoss:
    """Read what ``TierLoss.to_json`` wrote.

    Raises:
        EngineBuildError: Something else.
    """
    try:
        content = json.loads(path.read_bytes())
        del content["bounds"]
        return TierLoss(agreement=Agreement(**content.pop("agreement")), **content)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EngineBuildError(f"{path} is no report of a tier ({error}); pass --gate DIR to make one") from error


def known(recipe: ModelRecipe, tier: Mode, source_sha256: str) -> TierLoss | None:
    """Return what was measured on photographs of these very weights before; None where nothing was."""
    path = recipe.known(f"{tier}.loss.json")
    found = read(path) if path else None
    return found if found is not None and found.source_sha256 == source_sha256 else None


def judge(order: Order, small: Callable[[], Engine], precision: str, source_sha256: str) -> TierLoss:
    """Return what a tier loses: measured on the photographs given, else as it was when the weights were bundled.

    What was measured once holds for every engine of these weights, because each must agree with its own tier in
    FP32 by far narrower bounds.

    Args:
        order: What is built.
        small: Loads the tier's engine, where it is needed.
        precision: What it computes in.
        source_sha256: Checksum of the network's file.

    Raises:
        EngineBuildError: Nothing shows what it loses.
        EngineParityError: It loses more than the tier declares.
    """
    if order.gate is None:
        loss = known(order.recipe, order.tier, source_sha256)
        if loss is None:
            raise EngineBuildError(
                f"stage tier: nothing shows what {order.recipe.name} loses at {order.recipe.size} pixels; pass --gate "
                "DIR with photographs, or build --tier full"
            )
    else:
        loss = TierLoss(
            model=order.recipe.name,
            source_sha256=source_sha256,
            tier=order.tier,
            size=order.recipe.size,
            native_size=order.native_size,
            precision=precision,
            photographs=photographs.FOLDER,
            agreement=_measure(order, order.gate, small()),
        )
    loss.check()
    return loss


def _measure(order: Order, folder: Path, small: Engine) -> Agreement:
    """Compare masks on every photograph, the smaller ones enlarged."""
    native = dataclasses.replace(order.recipe, size=order.native_size)
    full = Reference(fuse.fuse(optimise.optimise(source.load(order.source, native), native), native), "tier")
    comparison = Comparison()
    sizes = (order.recipe.size, order.native_size)
    pictures = (photographs.of_folder(folder, size, MIN_PHOTOGRAPHS) for size in sizes)
    for (name, picture), (_, square) in zip(*pictures, strict=True):
        masks, _ = small.masks(picture[None])
        wanted, _ = full.masks(square[None])
        enlarged = np.asarray(geometry.to_picture(masks[0], order.native_size, order.native_size))
        comparison.add(name, enlarged, wanted[0])
    return comparison.result()
