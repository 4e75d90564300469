from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler

from alphacut_core.errors import EngineBuildError, EngineSourceError, InvalidOptionError
from alphacut_training import checkpoint, evaluation, fit, predictor
from alphacut_training.clock import Clock
from alphacut_training.data import Pictures
from alphacut_training.network import Architecture, U2Net
from alphacut_training.settings import Settings

from .conftest import BUNDLED, write_discs

TINY = Architecture(
    "tiny",
    {
        "1": (3, 4, 8),
        **dict.fromkeys(("2", "3", "4", "5", "6"), (8, 4, 8)),
        **dict.fromkeys(("5d", "4d", "3d", "2d", "1d"), (16, 4, 8)),
    },
)


def quick(data: Path, output: Path, **changes: object) -> Settings:
    settings = Settings(
        data=data, output=output, epochs=2, size=64, first_size=64, batch=4, hold_out=0.2, ema=0.0, learning_rate=2e-3
    )
    return replace(settings, **changes)  # type: ignore[arg-type]


def tiny(seed: int = 0) -> U2Net:
    torch.manual_seed(seed)
    return U2Net(TINY)


def silent(_line: str) -> None:
    pass


def test_training_finds_discs_that_it_has_never_seen(discs: Callable[[int], Path], tmp_path: Path) -> None:
    outcome = fit.fit(tiny(), quick(discs(24), tmp_path / "run", epochs=6), silent)
    unseen = write_discs(tmp_path / "unseen", 6, first=500)
    trained, untrained = (
        evaluation.evaluate(predictor.of_network(network, 64), unseen).overall for network in (outcome.network, tiny())
    )
    assert trained.max_f > untrained.max_f + 0.2
    assert trained.mae < untrained.mae


def test_fine_tuning_from_the_bundled_weights_starts_where_they_are(
    discs: Callable[[int], Path], tmp_path: Path
) -> None:
    told: list[str] = []
    settings = quick(discs(20), tmp_path / "run", epochs=1, learning_rate=1e-6)
    outcome = fit.fit(checkpoint.load(BUNDLED), settings, told.append)
    assert "restoring" in " ".join(told)
    image = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        before, after = (torch.sigmoid(one.eval()(image)[0]) for one in (checkpoint.load(BUNDLED), outcome.network))
    assert float((before - after).abs().mean()) < 0.05
    assert outcome.start_max_f_beta == pytest.approx(outcome.max_f_beta, abs=0.05)


def test_a_run_that_made_nothing_better_says_so_and_what_to_do(discs: Callable[[int], Path], tmp_path: Path) -> None:
    data, told = discs(24), list[str]()
    good = fit.fit(tiny(), quick(data, tmp_path / "good", epochs=6), told.append)
    assert good.start_max_f_beta < good.max_f_beta
    assert not any("before" in line for line in told)
    settings = quick(data, tmp_path / "spoilt", epochs=1, learning_rate=1.0)
    spoilt = fit.fit(good.network, settings, told.append)
    assert spoilt.start_max_f_beta == pytest.approx(good.max_f_beta, abs=0.01)
    assert not spoilt.max_f_beta >= spoilt.start_max_f_beta
    assert f"{spoilt.start_max_f_beta:.3f} before; try a lower --learning-rate" in told[-1]


def test_a_run_that_came_to_nan_ends_and_keeps_nothing_of_it(discs: Callable[[int], Path], tmp_path: Path) -> None:
    settings = quick(discs(20), tmp_path / "run", epochs=1)
    fit.fit(tiny(), settings, silent)
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    whole = torch.load(last, weights_only=False)
    weights = whole["state_dict"]["network.outconv.weight"]
    torch.save({**whole, "state_dict": {**whole["state_dict"], "network.outconv.weight": weights * torch.nan}}, last)
    kept = last.read_bytes()
    with pytest.raises(EngineBuildError, match=r"NaN after epoch 2.*--learning-rate.*best\.ckpt"):
        fit.fit(tiny(), replace(settings, epochs=3), silent)
    assert last.read_bytes() == kept


def test_the_same_seed_trains_the_same_network(discs: Callable[[int], Path], tmp_path: Path) -> None:
    data = discs(20)
    first, second = (
        fit.fit(tiny(), quick(data, tmp_path / name, epochs=1), silent).network.state_dict() for name in ("one", "two")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_an_average_of_weights_is_kept_where_it_is_asked_for(discs: Callable[[int], Path], tmp_path: Path) -> None:
    data = discs(20)
    plain = fit.fit(tiny(), quick(data, tmp_path / "plain", epochs=1), silent).network
    averaged = fit.fit(tiny(), quick(data, tmp_path / "ema", epochs=1, ema=0.9), silent).network
    assert not torch.equal(plain.outconv.weight, averaged.outconv.weight)  # type: ignore[arg-type,union-attr]


@pytest.mark.parametrize("norm", ["frozen", "trained"])
def test_frozen_normalisation_keeps_its_statistics_while_its_weights_learn(
    discs: Callable[[int], Path], tmp_path: Path, norm: str
) -> None:
    data = discs(20)
    network = fit.fit(tiny(), quick(data, tmp_path / "start", epochs=1), silent).network
    start = {name: weights.clone() for name, weights in network.state_dict().items()}
    trained = fit.fit(network, quick(data, tmp_path / "run", epochs=1, norm=norm), silent).network.state_dict()
    statistics = {name for name in start if name.endswith(("running_mean", "running_var"))}
    scales = {name for name in start if name.endswith("bn_s1.weight")}
    assert statistics
    assert scales
    kept = {name for name in start if torch.equal(start[name], trained[name])}
    assert statistics & kept == (statistics if norm == "frozen" else set())
    assert not scales & kept


_RUN = """
from pathlib import Path
import lightning
from training.test_fit import quick, tiny
from alphacut_training import fit

class Announce(lightning.Callback):
    def on_train_epoch_start(self, trainer, module):
        print("epoch", trainer.current_epoch, flush=True)

original = lightning.Trainer.__init__
def announced(self, *arguments, **options):
    options["callbacks"] = [*options["callbacks"], Announce()]
    original(self, *arguments, **options)
lightning.Trainer.__init__ = announced
fit.fit(tiny(), quick(Path({data!r}), Path({output!r}), epochs=1000, patience=1000), print)
"""


@contextlib.contextmanager
def in_its_third_epoch(run: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a run in a process of its own, wait for its third epoch, and leave none of its processes behind."""
    script = folder / "run.py"
    script.write_text(run)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            # Several processes write here, so that a line may be lost in another.
            assert any(int(epoch) >= 2 for line in process.stdout for epoch in re.findall(r"epoch (\d+)", line))
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_a_killed_run_goes_on_from_its_last_whole_epoch(discs: Callable[[int], Path], tmp_path: Path) -> None:
    data, output = discs(20), tmp_path / "run"
    with in_its_third_epoch(_RUN.format(data=str(data), output=str(output)), tmp_path) as process:
        process.kill()
    told: list[str] = []
    outcome = fit.fit(tiny(), quick(data, output, epochs=4, patience=1000), told.append)
    assert any("going on from" in line for line in told)
    assert outcome.epochs == 4
    assert outcome.start_max_f_beta == json.loads((output / "start.json").read_text())["max_f_beta"]
    saved = torch.load(output / "checkpoints" / "last.ckpt", weights_only=False)
    assert saved["epoch"] == 3


def test_an_epoch_that_made_nothing_better_is_gone_on_from_too(discs: Callable[[int], Path], tmp_path: Path) -> None:
    data, output = discs(20), tmp_path / "run"
    fit.fit(tiny(), quick(data, output, epochs=3, learning_rate=1e-12, norm="frozen"), silent)
    saved = torch.load(output / "checkpoints" / "last.ckpt", weights_only=False)
    assert saved["epoch"] == 2


def test_a_run_whose_folder_was_moved_knows_its_best_epoch(discs: Callable[[int], Path], tmp_path: Path) -> None:
    before = fit.fit(tiny(), quick(discs(20), tmp_path / "before"), silent)
    moved = (tmp_path / "before").rename(tmp_path / "moved")
    after = fit.fit(tiny(), quick(discs(20), moved), silent)
    assert (after.max_f_beta, after.epochs) == (before.max_f_beta, 2)


def test_a_damaged_checkpoint_is_refused_with_what_to_go_on_from(discs: Callable[[int], Path], tmp_path: Path) -> None:
    settings = quick(discs(20), tmp_path / "run")
    before = fit.fit(tiny(), settings, silent)
    best, last = (settings.output / "checkpoints" / f"{name}.ckpt" for name in ("best", "last"))
    os.truncate(last, last.stat().st_size // 2)
    with pytest.raises(EngineSourceError, match=r"copy best\.ckpt over it"):
        fit.fit(tiny(), settings, silent)
    shutil.copyfile(best, last)
    assert fit.fit(tiny(), settings, silent).max_f_beta >= before.max_f_beta


def test_a_checkpoint_is_whole_before_it_has_its_name_and_needs_no_other_disk(
    discs: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "full"))  # where nothing can be written
    output = tmp_path / "run"
    (output / "checkpoints" / ".best.ckpt.part").mkdir(parents=True)
    with pytest.raises(EngineBuildError, match=r"cannot keep .*best\.ckpt: .*free space"):
        fit.fit(tiny(), quick(discs(20), output), silent)
    (output / "checkpoints" / ".best.ckpt.part").rmdir()
    fit.fit(tiny(), quick(discs(20), output), silent)
    assert sorted(path.name for path in (output / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]


def test_a_run_of_two_processes_ends_with_both_when_it_is_told_to(discs: Callable[[int], Path], tmp_path: Path) -> None:
    data, output = discs(20), tmp_path / "run"
    run = _RUN.format(data=str(data), output=str(output)).replace("epochs=1000", "devices=2, epochs=1000")
    with in_its_third_epoch(run, tmp_path) as process:
        process.terminate()
        assert process.wait(120) == -signal.SIGTERM
        process.communicate(timeout=120)  # ends when nobody is left who could write


def test_a_run_that_left_no_checkpoint_is_no_obstacle_to_another(discs: Callable[[int], Path], tmp_path: Path) -> None:
    output, data, few = tmp_path / "run", discs(20), write_discs(tmp_path / "few", 3)
    with pytest.raises(EngineSourceError, match="got 3 usable pairs"):
        fit.fit(tiny(), quick(few, output, epochs=1), silent)
    (output / "start.json").write_text('{"max_f_beta": 2.0}')  # of a run that was killed in its first epoch
    outcome = fit.fit(tiny(), quick(data, output, epochs=1), silent)
    assert outcome.start_max_f_beta < 1
    assert json.loads((output / "settings.json").read_text())["data"] == str(data)


def test_a_run_ends_with_its_time_its_course_whole(
    discs: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = itertools.count()
    monkeypatch.setattr(Clock, "time_elapsed", lambda *_: float(next(looks)))  # a second a look
    settings = quick(discs(20), tmp_path / "run", epochs=None, minutes=1)
    outcome = fit.fit(tiny(), settings, silent)
    assert 2 < outcome.epochs < 15
    saved = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=False)
    assert saved["lr_schedulers"][0]["_last_lr"][0] < 0.1 * settings.learning_rate


def test_two_processes_train_one_network(discs: Callable[[int], Path], tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    output = tmp_path / "run"
    settings = f"quick(Path({str(discs(24))!r}), Path({str(output)!r}), epochs=2, batch=2, devices=2, minutes=10)"
    lines = (
        "from pathlib import Path; from training.test_fit import quick, silent, tiny; from alphacut_training import fit"
    )
    script.write_text(f"{lines}\nfit.fit(tiny(), {settings}, silent)\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, str(script)], check=True, env=environment, capture_output=True)
    checkpoint.load(output / "network.pth")
    saved = torch.load(output / "checkpoints" / "last.ckpt", weights_only=False)
    assert saved["global_step"] == 2 * 5  # 19 pictures to train on: ten for each, in pairs


def test_every_process_has_a_batch_to_train_on_however_few_pictures_there_are(
    discs: Callable[[int], Path], tmp_path: Path
) -> None:
    pictures = Pictures(quick(discs(20), tmp_path / "run", batch=12, devices=2), silent)
    whole = pictures.train_dataloader()
    share = DistributedSampler(whole.dataset, num_replicas=2, rank=1)
    assert len(DataLoader(whole.dataset, whole.batch_size, sampler=share, drop_last=whole.drop_last)) == 1


def test_a_run_grows_from_the_first_size_to_the_last(
    discs: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    forward = U2Net.forward

    def watched(network: U2Net, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        if network.training:
            sizes.append(image.shape[-1])
        return forward(network, image)

    monkeypatch.setattr(U2Net, "forward", watched)
    fit.fit(tiny(), quick(discs(24), tmp_path / "run", size=128, first_size=64), silent)
    assert sizes == sorted(sizes)
    assert set(sizes) == {64, 96, 128}


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 100},
        {"epochs": 0},
        {"first_size": 640},
        {"composites": 1.5},
        {"precision": "fp8"},
        {"minutes": 0},
        {"tiers": 1.0},
        {"seed": -1},
        {"seed": 2**32},
        {"workers": -1},
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidOptionError, match=next(iter(wrong))):
        quick(tmp_path, tmp_path, **wrong)
