"""What a training run depends on."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from alphacut_core.errors import InvalidOptionError

Precision = Literal["fp32", "bf16", "fp16"]
Norm = Literal["trained", "frozen"]
STRIDE = 32
"""Sides are multiples of it: five poolings by two."""
_LARGEST_SEED = 2**32 - 1
_EPOCHS = 30
_PATIENCE = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One training run; the same settings on the same pictures give the same network.

    Attributes:
        data: Folder with ``images`` and ``masks``, or ``cutouts``; see ``pairs``.
        output: Folder for checkpoints, logs and the finished network.
        epochs: How often every picture is drawn, at most; None for 30, and for no limit beside ``minutes``.
        minutes: How long to train at most, or None for as long as the epochs take. Learning rate and size follow
            the clock then, so that a run is whole whatever the machine manages in that time.
        size: Side of the square to train at, a multiple of 32 pixels.
        first_size: Side at the start; grows to ``size`` on the way, see ``course``.
        tiers: Share of the steps, once ``size`` is reached, that are taken at the sizes of the smaller tiers, 0 to
            1; it lifts the masks of ``medium`` and ``lite``, which are served with the same weights.
        batch: Pictures a step on each device.
        learning_rate: Highest rate of AdamW; warms up over the first twentieth and falls as a cosine.
        weight_decay: AdamW's.
        norm: ``frozen`` keeps the statistics of batch normalisation as they are: small batches of few pictures spoil
            those of a network that is good already.
        ema: Decay of the exponential moving average of weights that is checked and kept; 0 takes the last weights.
        composites: Share of examples whose subject is put before another background, 0 to 1.
        negatives: Share of examples without a subject, where ``backgrounds`` has pictures, 0 to 1.
        hold_out: Share of the pictures that are checked on and never trained on, 0 to 1.
        patience: Epochs without improvement after which to stop; None for 10, and for never beside ``minutes``: most
            of what a run gains it gains at its end, when its pictures are large and its steps small.
        precision: What forward passes compute in; ``bf16`` pays on processors with AVX-512 BF16 or AMX and on GPUs.
        devices: Number of GPUs; without any, of processes that share the processor.
        workers: Processes that prepare pictures; 0 prepares them in the training process.
        seed: Where all chance starts, 0 to 2**32 - 1.
    """

    data: Path
    output: Path
    epochs: int | None = None
    minutes: float | None = None
    size: int = 320
    first_size: int = 320
    tiers: float = 0.0
    batch: int = 12
    learning_rate: float = 4e-4
    weight_decay: float = 1e-4
    norm: Norm = "trained"
    ema: float = 0.995
    composites: float = 0.3
    negatives: float = 0.05
    hold_out: float = 0.1
    patience: int | None = None
    precision: Precision = "fp32"
    devices: int = 1
    workers: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("batch", "devices"):
            _check(name, getattr(self, name) >= 1, getattr(self, name), "1 or more")
        for name in ("epochs", "patience"):
            value = getattr(self, name)
            _check(name, value is None or value >= 1, value, "1 or more")
        for name in ("composites", "negatives", "hold_out", "ema", "tiers"):
            _check(name, 0 <= getattr(self, name) < 1, getattr(self, name), "0 or more and less than 1")
        _check("workers", self.workers >= 0, self.workers, "0 or more")
        _check("seed", 0 <= self.seed <= _LARGEST_SEED, self.seed, f"0 to {_LARGEST_SEED}")
        for name in ("size", "first_size"):
            side = getattr(self, name)
            _check(name, side >= 2 * STRIDE and side % STRIDE == 0, side, "multiples of 32 from 64 on")
        _check("first_size", self.first_size <= self.size, self.first_size, f"sizes up to {self.size}")
        _check("minutes", self.minutes is None or self.minutes > 0, self.minutes, "more than 0")
        _check("learning_rate", self.learning_rate > 0, self.learning_rate, "more than 0")
        _check("norm", self.norm in get_args(Norm), self.norm, ", ".join(get_args(Norm)))
        _check("precision", self.precision in get_args(Precision), self.precision, ", ".join(get_args(Precision)))

    @property
    def most_epochs(self) -> int | None:
        """How often every picture is drawn at most; None without a limit."""
        return _EPOCHS if self.epochs is None and self.minutes is None else self.epochs

    @property
    def most_patience(self) -> int | None:
        """Epochs without improvement after which to stop; None for never."""
        return _PATIENCE if self.patience is None and self.minutes is None else self.patience

    def facts(self) -> dict[str, str | int | float | None]:
        """Return the settings for a log or a model card."""
        return {
            name: str(value) if isinstance(value, Path) else value for name, value in dataclasses.asdict(self).items()
        }


def _check(name: str, good: bool, got: object, allowed: str) -> None:
    if not good:
        raise InvalidOptionError(f"got {name}={got}; allowed are {allowed}")
