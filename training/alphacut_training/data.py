"""The pictures of a run: surveyed, decoded, parted, and handed to Lightning."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import lightning
from torch.utils.data import DataLoader

from alphacut_core.geometry import Pixels
from alphacut_training import pairs, store
from alphacut_training.dataset import Example, Plain, Varied
from alphacut_training.settings import Settings
from alphacut_training.split import split
from alphacut_training.store import Store

Tell = Callable[[str], None]


class Pictures(lightning.LightningDataModule):
    """Pictures to train on and to check on.

    Args:
        settings: Of the run.
        tell: Takes a line about what was found, left out and parted.

    Raises:
        EngineSourceError: Too few usable pairs; every reason is counted in the message.
    """

    def __init__(self, settings: Settings, tell: Tell) -> None:
        super().__init__()
        self._settings = settings
        self.store = survey(settings.data, tell)
        self.trained, self.checked = split(self.store, settings.hold_out, settings.seed)
        backgrounds = _backgrounds(settings.data / "backgrounds", tell)
        self._varied = Varied(
            self.store,
            self.trained,
            settings.size,
            seed=settings.seed,
            composites=settings.composites,
            backgrounds=backgrounds,
            negatives=settings.negatives,
        )
        tell(f"{len(self.trained)} pictures to train on, {len(self.checked)} to check on, no scene on both sides")

    def train_dataloader(self) -> DataLoader[Example]:
        """Return this epoch's variations; Lightning asks anew for each epoch."""
        self._varied.epoch = self.trainer.current_epoch if self.trainer is not None else 0
        for_each = math.ceil(len(self._varied) / self._settings.devices)  # Lightning parts them among the devices
        return DataLoader(
            self._varied,
            self._settings.batch,
            shuffle=True,
            drop_last=for_each > self._settings.batch,
            num_workers=self._settings.workers,
        )

    def val_dataloader(self) -> DataLoader[Example]:
        """Return the pictures to check on, as they are."""
        return DataLoader(
            Plain(self.store, self.checked, self._settings.size),
            self._settings.batch,
            num_workers=self._settings.workers,
        )


def survey(folder: Path, tell: Tell) -> Store:
    """Find, decode and check the pairs of a folder, and say what was left out.

    Raises:
        EngineSourceError: Too few are usable.
    """
    found, unmatched = pairs.find(folder)
    decoded, broken = store.build(found, tell=tell)
    left_out = [*unmatched, *broken]
    if left_out:
        tell(pairs.summary(left_out))
    pairs.check_enough(len(decoded), folder, left_out)
    return decoded


def _backgrounds(folder: Path, tell: Tell) -> Pixels | None:
    """Return the pictures without a subject, uint8 (N, SIDE, SIDE, 3), or None where there is no such folder."""
    if not folder.is_dir():
        return None
    squares, left_out = store.backgrounds(pairs.pictures(folder), tell=tell)
    if left_out:
        tell(pairs.summary(left_out))
    tell(f"{len(squares)} backgrounds without a subject")
    return squares
