from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from alphacut_training import checkpoint, cli, fit, prune
from alphacut_training.data import Pictures
from alphacut_training.network import U2Net
from alphacut_training.settings import Settings

from .conftest import BUNDLED, write_discs
from .test_fit import TINY

QUICK = ("--epochs", "1", "--size", "64", "--batch", "4", "--hold-out", "0.2")


def call(command: object, *arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(one) for one in arguments])  # type: ignore[arg-type]
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def network(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    checkpoint.save(U2Net(TINY), tmp_path / "tiny.pth")
    return tmp_path / "tiny.pth"


def test_fine_tune_then_export_gives_a_network_that_onnx_runtime_runs(
    discs: Callable[[int], Path], tmp_path: Path, network: Path
) -> None:
    tuned = call(cli.fine_tune, "--start", network, "--data", discs(20), "--output", tmp_path / "run", *QUICK)
    assert tuned.exit_code == 0, tuned.output
    assert "next: alphacut export" in tuned.output
    exported = call(
        cli.export, "--model", tmp_path / "run" / "network.pth", "--output", tmp_path / "mine.onnx", "--size", 64
    )
    assert exported.exit_code == 0, exported.output
    session = onnxruntime.InferenceSession(str(tmp_path / "mine.onnx"), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["batch", 3, 64, 64]


def test_train_begins_from_nothing(discs: Callable[[int], Path], tmp_path: Path) -> None:
    result = call(cli.train, "--data", discs(20), "--output", tmp_path / "run", *QUICK)
    assert result.exit_code == 0, result.output
    assert prune.parameters(checkpoint.load(tmp_path / "run" / "network.pth")) == 1_131_181


def test_the_seed_draws_the_first_weights_too(
    discs: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[U2Net] = []
    monkeypatch.setattr(fit, "fit", lambda network, *_, **__: begun.append(network) or sys.exit(0))
    data = discs(1)
    for seed in (0, 0, 1):
        torch.manual_seed(len(begun) + 7)
        assert call(cli.train, "--data", data, "--output", tmp_path, "--seed", seed).exit_code == 0
    first, again, other = (network.state_dict() for network in begun)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["outconv.weight"], other["outconv.weight"])


def test_commands_say_what_their_runs_begin_with(
    discs: Callable[[int], Path], tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origins: list[dict[str, object]] = []
    monkeypatch.setattr(fit, "fit", lambda *_, origin, **__: origins.append(origin) or sys.exit(0))
    torch.manual_seed(9)
    checkpoint.save(U2Net(TINY), tmp_path / "other.pth")
    own, other = checkpoint.fingerprint(network), checkpoint.fingerprint(tmp_path / "other.pth")
    data = ("--data", discs(20), "--output", tmp_path / "run")
    for command, options in (
        (cli.train, ("--architecture", "u2netp")),
        (cli.fine_tune, ("--start", network)),
        (cli.distil, ("--student", network, "--teacher", tmp_path / "other.pth")),
        (cli.prune, ("--start", network, "--ratio", 0.5)),
    ):
        assert call(command, *options, *data).exit_code == 0
    assert own != other
    assert origins == [
        {"command": "train", "architecture": "u2netp"},
        {"command": "fine-tune", "start": own},
        {"command": "distil", "student": own, "teacher": other},
        {"command": "prune", "start": own, "ratio": 0.5},
    ]


def test_a_run_that_began_with_another_network_is_refused(
    discs: Callable[[int], Path], tmp_path: Path, network: Path
) -> None:
    options = ("--data", discs(20), "--output", tmp_path / "run", *QUICK)
    assert call(cli.fine_tune, "--start", network, *options).exit_code == 0
    network.write_bytes(BUNDLED.read_bytes())
    result = call(cli.fine_tune, "--start", network.rename(tmp_path / "tiny.onnx"), *options)
    assert result.exit_code == 1
    assert "holds a run with other settings (start " in result.output


def test_prune_takes_channels_out_and_trains_the_rest(
    discs: Callable[[int], Path], tmp_path: Path, network: Path
) -> None:
    result = call(
        cli.prune, "--start", network, "--ratio", 0.5, "--data", discs(20), "--output", tmp_path / "run", *QUICK
    )
    assert result.exit_code == 0, result.output
    left = prune.parameters(checkpoint.load(tmp_path / "run" / "network.pth"))
    assert left < 0.9 * prune.parameters(checkpoint.load(network))


@pytest.mark.parametrize("ratio", [0, 0.9, 0.01])
def test_a_ratio_that_takes_nothing_or_everything_is_refused(network: Path, ratio: float) -> None:
    from alphacut_core.errors import InvalidOptionError

    with pytest.raises(InvalidOptionError, match=f"ratio={ratio}"):
        prune.prune(checkpoint.load(network), ratio)


def test_a_ratio_out_of_range_is_refused_before_any_picture_is_read(tmp_path: Path, network: Path) -> None:
    (tmp_path / "empty").mkdir()
    options = ("--start", network, "--data", tmp_path / "empty", "--output", tmp_path / "run", *QUICK)
    result = call(cli.prune, "--ratio", 1.2, *options)
    assert (result.exit_code, "ratio=1.2; allowed are" in result.output) == (1, True), result.output


def test_a_student_learns_from_its_teacher(discs: Callable[[int], Path], tmp_path: Path, network: Path) -> None:
    data = discs(20)
    torch.manual_seed(9)
    checkpoint.save(U2Net(TINY), tmp_path / "teacher.pth")
    states = []
    for name, teacher in (("a", tmp_path / "teacher.pth"), ("b", network)):
        output = tmp_path / name
        result = call(
            cli.distil, "--teacher", teacher, "--student", network, "--data", data, "--output", output, *QUICK
        )
        assert result.exit_code == 0, result.output
        states.append(checkpoint.load(output / "network.pth").state_dict())
    assert not torch.equal(states[0]["outconv.weight"], states[1]["outconv.weight"])
    assert prune.parameters(checkpoint.load(tmp_path / "a" / "network.pth")) == prune.parameters(U2Net(TINY))


def test_evaluate_writes_tables_pictures_and_the_worst(tmp_path: Path, network: Path) -> None:
    data = write_discs(tmp_path / "data", 5)
    (data / "backgrounds").mkdir()
    Image.new("RGB", (50, 50), (90, 90, 90)).save(data / "backgrounds" / "wall.png")
    (data / "images" / "disc004.png").write_bytes(b"broken")
    output = tmp_path / "found"
    result = call(cli.evaluate, "--model", network, "--data", data, "--size", 64, "--output", output)
    assert result.exit_code == 0, result.output
    assert "| all | 4 |" in result.output
    facts = json.loads((output / "tiny.json").read_text())
    assert facts["pictures"] == 4
    assert facts["left_out"] == 1
    assert facts["reliability"]["backgrounds"] == 1
    assert 0 <= facts["reliability"]["separation"] <= 1
    assert sum(one["count"] for one in facts["reliability"]["bins"]) == 5
    assert len((output / "tiny.csv").read_text().splitlines()) == 5
    assert (output / "tiny-reliability.svg").read_text().startswith("<svg")
    with Image.open(output / "worst.png") as sheet:
        assert sheet.width > 700


def test_the_frontier_compares_networks_at_sizes(tmp_path: Path, network: Path) -> None:
    data = write_discs(tmp_path / "data", 3)
    output = tmp_path / "frontier"
    result = call(cli.frontier, "--model", network, "--size", 96, "--size", 64, "--data", data, "--output", output)
    assert result.exit_code == 0, result.output
    points = json.loads((output / "frontier.json").read_text())
    assert [point["size"] for point in points] == [96, 64]
    assert points[0]["gigaflops"] > 2 * points[1]["gigaflops"]
    assert (output / "frontier.svg").read_text().count("<circle") == 2
    assert (output / "frontier.md").read_text().count("| tiny |") == 2


def test_a_broken_background_is_named_and_costs_only_itself(tmp_path: Path, network: Path) -> None:
    data = write_discs(tmp_path / "data", 2)
    (data / "backgrounds").mkdir()
    Image.new("RGB", (50, 50), (90, 90, 90)).save(data / "backgrounds" / "wall.png")
    (data / "backgrounds" / "door.png").write_bytes(b"broken")
    result = call(cli.evaluate, "--model", network, "--data", data, "--size", 64, "--output", tmp_path / "found")
    assert result.exit_code == 0, result.output
    assert "backgrounds/door.png" in result.output
    told = json.loads((tmp_path / "found" / "tiny.json").read_text())["reliability"]
    assert (told["backgrounds"], told["backgrounds_left_out"]) == (1, 1)


def test_names_of_old_disks_are_no_obstacle(tmp_path: Path, network: Path) -> None:
    data = write_discs(tmp_path / "data", 20)
    for part, number in ((part, number) for part in ("images", "masks") for number in (0, 1)):
        folder = os.fsencode(data / part)
        os.rename(folder + b"/disc00%d.png" % number, folder + b"/caf\xe9 %d.png" % number)
    os.unlink(os.fsencode(data) + b"/masks/caf\xe9 1.png")
    write_discs(data, 22, first=20)
    told: list[str] = []
    Pictures(Settings(data=data, output=tmp_path / "run"), told.append)
    assert "1 left out: no mask of this name in masks/ (caf? 1)" in told
    result = call(cli.evaluate, "--model", network, "--data", data, "--size", 64, "--output", tmp_path / "found")
    assert result.exit_code == 0, result.output
    for _ in range(2):
        result = call(cli.label, "--model", network, "--data", data, "--size", 64, "--output", tmp_path / "labelled")
        assert result.exit_code == 0, result.output
    assert (tmp_path / "labelled" / "labels.csv").read_bytes().count(b"caf\xe9 1.png") == 1


def test_pictures_that_networks_are_not_measured_on_are_named(tmp_path: Path, network: Path) -> None:
    data = write_discs(tmp_path / "data", 2)
    Image.new("L", (7, 7), 255).save(data / "masks" / "disc001.png")
    for command, options in ((cli.evaluate, ()), (cli.frontier, ("--output", tmp_path / "frontier"))):
        result = call(command, "--model", network, "--data", data, "--size", 64, *options)
        assert result.exit_code == 0, result.output
        assert "1 left out: picture is 96x96, its mask 7x7" in result.output
        assert "(disc001)" in result.output


def test_export_makes_the_folder_it_writes_into(tmp_path: Path, network: Path) -> None:
    result = call(cli.export, "--model", network, "--output", tmp_path / "new" / "mine.onnx", "--size", 64)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "new" / "mine.onnx").is_file()


def test_an_output_that_cannot_be_written_is_one_line_with_the_remedy(tmp_path: Path, network: Path) -> None:
    data, output = write_discs(tmp_path, 1), network / "found"  # below a file
    result = call(cli.evaluate, "--model", network, "--data", data, "--size", 64, "--output", output)
    assert result.exit_code == 1
    assert f"error: cannot write {output}: Not a directory; free space, mend permissions" in result.output


@pytest.mark.parametrize("command", [cli.evaluate, cli.export, cli.frontier, cli.label])
def test_a_size_of_nothing_is_refused(tmp_path: Path, network: Path, command: object) -> None:
    place = ("--output", tmp_path / "x") if command is cli.export else ("--data", tmp_path, "--output", tmp_path / "x")
    result = call(command, "--model", network, *place, "--size", 0)
    assert result.exit_code == 2
    assert "0 is not in the range x>=1" in result.output


def test_networks_of_one_file_name_stay_apart(tmp_path: Path, network: Path) -> None:
    data, output = write_discs(tmp_path / "data", 2), tmp_path / "found"
    models: list[object] = []
    for run in ("mine", "pruned"):
        (tmp_path / run).mkdir()
        models += ["--model", shutil.copy(network, tmp_path / run / "network.pth")]
    result = call(cli.evaluate, *models, "--data", data, "--size", 64, "--output", output)
    assert "mine-network: max F-beta" in result.output
    assert {"mine-network.csv", "pruned-network.csv"} < {path.name for path in output.iterdir()}
    result = call(cli.frontier, *models, "--data", data, "--size", 64, "--output", output)
    points = json.loads((output / "frontier.json").read_text())
    assert [point["name"] for point in points] == ["mine-network", "pruned-network"]


def test_errors_are_one_line_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    result = call(cli.evaluate, "--data", tmp_path / "data")
    assert result.exit_code == 1
    assert result.output.startswith("error: ")
    assert "images/" in result.output
    assert "Traceback" not in result.output
