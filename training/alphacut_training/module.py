"""The network in training, as Lightning drives it."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional

from alphacut_training import loss
from alphacut_training.clock import Clock
from alphacut_training.course import Course
from alphacut_training.network import U2Net
from alphacut_training.settings import Settings

_LEVELS = 255
_BETA2 = 0.3


class Training(lightning.LightningModule):
    """U²-Net under deep supervision, with AdamW and a cosine.

    Args:
        network: What to train.
        settings: Of the run.
        clock: Measures its time.
        teacher: Whose maps to learn from beside the masks; it is not trained. See ``distil``.
        teacher_share: How much of the loss is the teacher's, 0 to 1.
    """

    def __init__(
        self,
        network: U2Net,
        *,
        settings: Settings,
        clock: Clock,
        teacher: U2Net | None = None,
        teacher_share: float = 0.5,
    ) -> None:
        super().__init__()
        # Channels last, since convolutions of few channels take half the time then, on processors too.
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # no stub for it
        self._settings = settings
        self._clock = clock
        self._course = Course(settings)
        # In a list, so that it is neither saved in checkpoints nor trained.
        self._teachers = [] if teacher is None else [teacher.eval().requires_grad_(False)]
        self._teacher_share = teacher_share
        self._f_beta = torch.zeros(_LEVELS, dtype=torch.float64)
        self._errors: list[float] = []

    def train(self, mode: bool = True) -> Training:
        """Train, or check; frozen normalisation is always as it is when checking."""
        super().train(mode)
        if self._settings.norm == "frozen":
            for part in self.network.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.eval()
        return self

    def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
        """Return the loss of a batch: pictures (N, 3, S, S) and masks (N, 1, S, S)."""
        size = self._course.size(self._progress(), self.trainer.global_step)
        images, masks = (_shrunk(part, size) for part in batch)
        maps = self.network(images.contiguous(memory_format=torch.channels_last))
        total = loss.supervised(maps, masks)
        for teacher in self._teachers:
            with torch.no_grad():
                taught = [torch.sigmoid(logits.float()) for logits in teacher.to(self.device)(images)]
            copied = torch.stack(
                [
                    functional.binary_cross_entropy_with_logits(ours.float(), theirs)
                    for ours, theirs in zip(maps, taught, strict=True)
                ]
            ).sum()
            total = (1 - self._teacher_share) * total + self._teacher_share * copied
        self.log("loss", total, prog_bar=True, on_step=True, on_epoch=True, sync_dist=True)
        self.log("size", float(size))
        return total

    def on_validation_epoch_start(self) -> None:
        """Forget what the epoch before measured."""
        self._f_beta.zero_()
        self._errors = []

    def validation_step(self, batch: tuple[Tensor, Tensor], _index: int) -> None:
        """Collect F-beta at each threshold, and the mean absolute error, of stretched masks."""
        images, masks = batch
        for saliency, mask in zip(torch.sigmoid(self.network(images)[0].float()), masks, strict=True):
            low, high = saliency.min(), saliency.max()
            stretched = (saliency - low) / (high - low).clamp_min(1e-6)
            self._errors.append(float((stretched - mask).abs().mean()))
            self._f_beta += _f_beta(stretched.flatten().cpu(), mask.flatten().cpu() > 0.5)

    def on_validation_epoch_end(self) -> None:
        """Log the maximum of the mean F-beta curve, as ``evaluate`` does, and the MAE."""
        count = max(1, len(self._errors))
        self.log("max_f_beta", float((self._f_beta / count).max()), prog_bar=True, sync_dist=True)
        self.log("mae", sum(self._errors) / count, prog_bar=True, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """Return AdamW and its schedule: a warm-up, then a cosine down to 0."""
        optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=self._settings.learning_rate, weight_decay=self._settings.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _step: self._course.rate(self._progress()))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _progress(self) -> float:
        """Return how much of the run is over, by its steps or by its clock, whichever is further."""
        steps = max(1.0, self.trainer.estimated_stepping_batches)  # infinite where the clock alone ends the run
        return max((self.trainer.global_step + 1) / (steps + 1), self._clock.progress)


def _shrunk(images: Tensor, size: int) -> Tensor:
    """Resize (N, C, S, S) to ``size`` pixels square, each new pixel the mean of those that it covers."""
    if images.shape[-1] == size:
        return images
    return functional.interpolate(images, (size, size), mode="area")


def _f_beta(saliency: Tensor, mask: Tensor) -> Tensor:
    """Return F-beta of one picture at 255 thresholds."""
    levels = (saliency * _LEVELS).to(torch.int64).clamp(0, _LEVELS)
    inside, outside = (
        torch.bincount(levels[area], minlength=_LEVELS + 1).flip(0).cumsum(0).flip(0)[1:].double()
        for area in (mask, ~mask)
    )
    precision, recall = inside / (inside + outside).clamp_min(1), inside / max(1, int(mask.sum()))
    return (1 + _BETA2) * precision * recall / (_BETA2 * precision + recall).clamp_min(1e-9)
