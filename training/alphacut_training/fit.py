"""One training run, from the pictures to the finished network."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import lightning
from lightning.pytorch.callbacks import Callback, EarlyStopping, TQDMProgressBar
from lightning.pytorch.callbacks.weight_averaging import EMAWeightAveraging
from lightning.pytorch.loggers import TensorBoardLogger

from alphacut_core import atomic
from alphacut_training import checkpoint
from alphacut_training import keeper as keeping
from alphacut_training.claim import Origin, claim, last_checkpoint, start_file
from alphacut_training.clock import Clock
from alphacut_training.data import Pictures, Tell
from alphacut_training.dataset import Plain
from alphacut_training.ending import EndsAtOnce, EndsWithoutNumbers
from alphacut_training.keeper import Keeper, WholeFiles
from alphacut_training.module import Training
from alphacut_training.network import U2Net
from alphacut_training.settings import Settings
from alphacut_training.store import Store
from alphacut_training.unfold import is_folded, unfold

FINISHED = "network.pth"
_PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}
_UNFOLD_PICTURES = 64


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        network: The best epoch's weights.
        file: Where they are stored.
        max_f_beta: Of the pictures to check on, at that epoch.
        start_max_f_beta: Of the same pictures, before the first epoch.
        epochs: How many epochs were trained, those before a resumption included.
    """

    network: U2Net
    file: Path
    max_f_beta: float
    start_max_f_beta: float
    epochs: int


def fit(
    network: U2Net,
    settings: Settings,
    tell: Tell,
    *,
    origin: Origin = MappingProxyType({}),
    teacher: U2Net | None = None,
    progress: bool = False,
) -> Outcome:
    """Train until the epochs or the minutes are over or nothing improves any more.

    A run that was killed goes on from its last finished epoch when it is started again with the same output.

    Args:
        network: Where to start; weights read from ONNX are unfolded first.
        settings: Of the run.
        tell: Takes lines about the pictures and the course.
        origin: See ``claim``.
        teacher: See ``Training``.
        progress: Draw a bar.

    Raises:
        EngineSourceError: The pictures cannot be trained on, or the output holds another run, or a damaged one.
        EngineBuildError: A checkpoint cannot be written, or the network gives NaN.
    """
    claim(settings, origin)
    lightning.seed_everything(settings.seed, verbose=False)
    pictures = Pictures(settings, tell)
    last = last_checkpoint(settings.output)
    if last.exists():
        keeping.check(last)
        tell(f"going on from {last}")
    else:
        restore(network, pictures.store, settings, tell)
    clock = Clock(settings.minutes)
    module = Training(network, settings=settings, clock=clock, teacher=teacher).train()
    keeper = Keeper(
        last.parent,
        filename="best",
        monitor="max_f_beta",
        mode="max",
        enable_version_counter=False,
    )
    # A keeper of its own: save_last leaves out every epoch that is no new best.
    latest = Keeper(last.parent, filename=last.stem, enable_version_counter=False)
    with _quiet():
        trainer = _trainer(settings, [keeper, latest, clock, EndsAtOnce(), EndsWithoutNumbers()], progress)
        start = _start(trainer, module, pictures, start_file(settings.output))
        trainer.fit(module, pictures, ckpt_path=str(last) if last.exists() else None, weights_only=False)
    best = checkpoint.load(Path(keeper.best_model_path))
    file = settings.output / FINISHED
    if trainer.is_global_zero:
        checkpoint.save(best, file)
    score = float(keeper.best_model_score) if keeper.best_model_score is not None else float("nan")
    if not score >= start:
        tell(
            f"nothing was better than the start: max F-beta {score:.3f}, {start:.3f} before; try a lower "
            "--learning-rate, more pictures, or a share of both networks: alphacut export --start"
        )
    return Outcome(best, file, score, start, trainer.current_epoch)


def restore(network: U2Net, pictures: Store, settings: Settings, tell: Tell) -> None:
    """Give a network from an ONNX file its batch normalisation back; others stay as they are."""
    if not is_folded(network):
        return
    tell("restoring the batch normalisation that the file has folded away")
    plain = Plain(pictures, range(min(_UNFOLD_PICTURES, len(pictures))), settings.size)
    unfold(network, (plain[index][0][None] for index in range(len(plain))))


def _start(trainer: lightning.Trainer, module: Training, pictures: Pictures, file: Path) -> float:
    """Return the max F-beta before the first epoch, which a resumed run reads where the first one wrote it."""
    if not file.exists():
        (measured,) = trainer.validate(module, pictures, verbose=False)
        if trainer.is_global_zero:
            atomic.write(file, json.dumps(measured).encode())
        return measured["max_f_beta"]
    return float(json.loads(file.read_text())["max_f_beta"])


def _trainer(settings: Settings, own: Sequence[Callback], progress: bool) -> lightning.Trainer:
    callbacks = list(own)
    if settings.most_patience is not None:
        callbacks.append(EarlyStopping("max_f_beta", patience=settings.most_patience, mode="max"))
    if settings.ema:
        callbacks.append(EMAWeightAveraging(decay=settings.ema))
    if progress:
        callbacks.append(TQDMProgressBar())
    return lightning.Trainer(
        accelerator="auto",
        devices=settings.devices,
        precision=_PRECISIONS[settings.precision],  # type: ignore[arg-type]  # Lightning's own literals
        max_epochs=-1 if settings.most_epochs is None else settings.most_epochs,
        callbacks=callbacks,
        plugins=[WholeFiles()],
        logger=TensorBoardLogger(settings.output, name="tensorboard", version=""),
        gradient_clip_val=1.0,
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        reload_dataloaders_every_n_epochs=1,
        enable_progress_bar=progress,
        enable_model_summary=False,
        deterministic="warn",
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what Lightning says on every run of this kind and nobody can act on."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")
        warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
        warnings.filterwarnings("ignore", message="Using `DistributedSampler` with the dataloaders")
        warnings.filterwarnings("ignore", message=r"Found \d+ module.s. in eval mode")  # frozen normalisation
        yield
