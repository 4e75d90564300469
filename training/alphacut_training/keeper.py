"""What a run keeps on its way: files that are whole, and known again wherever their folder is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from alphacut_core import atomic
from alphacut_core.errors import EngineBuildError, EngineSourceError
from alphacut_training import checkpoint


class Keeper(ModelCheckpoint):
    """Lightning's keeper of checkpoints, for folders that may be moved between two parts of a run."""

    @property
    def state_key(self) -> str:
        """What its state is found by in a checkpoint: Lightning's own, so that runs begun without this class go on."""
        return super().state_key.replace(type(self).__qualname__, ModelCheckpoint.__qualname__, 1)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what was kept before, as far as it came along: Lightning forgets the best epoch of a moved run."""
        here = Path(str(self.dirpath))
        known = {name: _moved(value, here) for name, value in state_dict.items() if name.endswith("_path")}
        if Path(known["best_model_path"]).is_file():
            kept = {_moved(path, here): score for path, score in state_dict["best_k_models"].items()}
            super().load_state_dict({**state_dict, **known, "best_k_models": kept, "dirpath": self.dirpath})


class WholeFiles(TorchCheckpointIO):
    """Writes checkpoints in the folder that they are for, and gives them their names when they are whole.

    Lightning writes into the system's folder for temporary files. Where that is another disk the file is copied from
    there, so that a kill leaves half a checkpoint, and it may be too small for it.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write a checkpoint; what had its name before stays where it cannot be written.

        Raises:
            EngineBuildError: No space, no permission.
        """
        try:
            with atomic.draft(Path(path), shared=False) as place:
                torch.save(checkpoint, place)
        except (OSError, RuntimeError) as error:  # the latter is PyTorch's own for a full disk
            raise EngineBuildError(
                f"cannot keep {path}: {str(error).splitlines()[0]}; free space or mend permissions, and give the "
                "command again: the run goes on from its last whole epoch"
            ) from error


def check(last: Path) -> None:
    """Refuse to go on from a checkpoint that cannot be read.

    Raises:
        EngineSourceError: It cannot.
    """
    try:
        checkpoint.load(last)
    except EngineSourceError as error:
        raise EngineSourceError(
            f"cannot go on from {last}, which is damaged; copy best.ckpt over it to go on from the best epoch, or "
            "delete it to begin again"
        ) from error


def _moved(path: str, folder: Path) -> str:
    return str(folder / Path(path).name) if path else path
