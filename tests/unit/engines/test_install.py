"""Versions: the last two stay, one file selects, and roll-back is its reversal."""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from alphacut_core import installed
from alphacut_core.errors import EngineBuildError
from alphacut_core.installed import Installed
from alphacut_engines import configs, install, layout, pipeline
from alphacut_engines.order import Order
from alphacut_engines.rollback import rollback
from alphacut_engines.target import TARGETS

Serving = Callable[[Order], Installed]


@pytest.fixture
def builds(make_order, make_network) -> Callable[[int], Order]:
    """Installs so many different networks one after another."""

    def build(n: int) -> Order:
        order = make_order()
        for i in range(n):
            order.source.write_bytes(make_network(bias=i / 8).SerializeToString())
            pipeline.build(order, lambda step: None)
        return order

    return build


@pytest.fixture
def grown(builds, make_network) -> Order:
    """A network of 32 pixels, not built yet, that is to take the place of an installed one of 16."""
    order = builds(1)
    order.source.write_bytes(make_network(size=32).SerializeToString())
    return dataclasses.replace(order, recipe=dataclasses.replace(order.recipe, size=32), native_size=32)


def configurations(repository: Path) -> dict[Path, str]:
    """Everything that Triton reads of all models."""
    return {path: path.read_text() for path in repository.rglob("*.pbtxt")}


def versions(order: Order) -> list[int]:
    """Those with an engine; directory 1 may hold the adapter alone."""
    return sorted(int(path.parent.name) for path in (order.repository / order.engine).glob("*/manifest.json"))


def test_the_version_before_stays_and_older_ones_go(builds, serving: Serving) -> None:
    order = builds(4)
    assert versions(order) == [3, 4]
    assert serving(order).version == 4
    assert list(configs.read(serving(order).config).version_policy.specific.versions) == [4]


def test_a_build_that_is_done_brings_adapters_and_configurations_of_this_release(builds, serving: Serving) -> None:
    order = builds(2)
    engine = serving(order)
    adapter = order.repository / order.engine / "1" / "model.py"
    wanted = {path: path.read_text() for path in (engine.config, adapter)}
    for path, text in wanted.items():
        path.write_text(f"{text}# of an older release\n")
    assert pipeline.build(order, lambda step: None).note == "version 2 is this build; nothing to do"
    assert {path: path.read_text() for path in wanted} == wanted


def test_roll_back_serves_the_version_before_with_its_own_facts(builds, serving: Serving) -> None:
    order = builds(2)
    checksum = serving(order).manifest["engine_sha256"]
    back = install.roll_back(order.repository, order.engine, order.target)
    parameters = configs.read(back.config).parameters
    assert (back.version, serving(order).version) == (1, 1)
    assert parameters["engine_version"].string_value == "1"
    assert parameters["engine_sha256"].string_value == back.manifest["engine_sha256"] != checksum


def test_roll_back_twice_is_as_never(builds, serving: Serving) -> None:
    order = builds(2)
    before = serving(order)
    for _ in range(2):
        install.roll_back(order.repository, order.engine, order.target)
    assert serving(order) == before


def test_what_was_rolled_back_is_not_installed_again_unless_forced(builds, serving: Serving) -> None:
    order = builds(2)
    install.roll_back(order.repository, order.engine, order.target)
    outcome = pipeline.build(order, lambda step: None)
    assert outcome.note is not None
    assert "was rolled back; --force" in outcome.note
    assert serving(order).version == 1
    pipeline.build(dataclasses.replace(order, force=True), lambda step: None)
    assert serving(order).version == 3


def test_a_number_is_not_used_twice_after_roll_back(builds, make_network, serving: Serving) -> None:
    order = builds(2)
    install.roll_back(order.repository, order.engine, order.target)
    order.source.write_bytes(make_network(bias=0.9).SerializeToString())
    pipeline.build(order, lambda step: None)
    assert (serving(order).version, versions(order)) == (3, [1, 3])


def test_there_must_be_something_to_roll_back_to(builds, make_order, tmp_path: Path) -> None:
    order = make_order()
    with pytest.raises(EngineBuildError, match="there is no small for cpu"):
        install.roll_back(order.repository, order.engine, order.target)
    builds(1)
    with pytest.raises(EngineBuildError, match="none before it"):
        install.roll_back(order.repository, order.engine, order.target)


def test_a_users_adapter_in_the_first_version_survives_its_engine(builds) -> None:
    order = builds(3)
    adapter = order.repository / "u2netp" / "1" / "model.py"
    assert adapter.is_file()
    assert not adapter.is_symlink()
    for link in order.repository.glob("small/*/model.py"):
        assert link.resolve() == adapter.resolve()


def test_targets_keep_their_versions_apart(builds, serving: Serving) -> None:
    order = builds(2)
    rtx = dataclasses.replace(order, target="tensorrt_rtx")
    with install.version(order.repository, order.engine, "tensorrt_rtx") as new:
        for path in serving(order).folder.iterdir():
            if path.name not in {"model.py", "manifest.json"}:
                (new.folder / path.name).write_bytes(path.read_bytes())
        text = (
            (serving(order).folder / "manifest.json").read_text().replace('"target": "cpu"', '"target": "tensorrt_rtx"')
        )
        (new.folder / "manifest.json").write_text(text)
    assert (serving(order).version, serving(rtx).version) == (2, 3)
    assert versions(order) == [1, 2, 3], "the CPU's version before the last can still be rolled back to"


def test_a_name_may_stand_for_networks_of_two_sizes_on_two_targets(grown: Order, serving: Serving) -> None:
    small = serving(grown)
    pipeline.build(grown, lambda step: None)
    large = serving(grown)
    with install.version(grown.repository, grown.engine, "tensorrt") as new:
        for name in (*small.manifest["artefacts"], "manifest.json"):
            (new.folder / name).write_bytes((small.folder / name).read_bytes())
    for target, engine in (("cpu", large), ("tensorrt", small)):
        ensemble = configs.read(installed.config_path(grown.repository, engine.pipeline.ensemble, target))
        steps = [step.model_name for step in ensemble.ensemble_scheduling.step]
        assert steps[0] == engine.pipeline.preprocess
        assert ensemble.parameters["size"].string_value == str(engine.pipeline.size)
    assert small.pipeline.ensemble == large.pipeline.ensemble
    assert [each.engine for each in installed.find_all(grown.repository)] == ["small"]


def test_the_command_rolls_a_tier_back(builds, serving: Serving) -> None:
    order = builds(2)
    done = CliRunner().invoke(rollback, ["small", "--repository", str(order.repository)], catch_exceptions=False)
    assert done.output == "small serves version 1 again, in place of 2\n"
    assert serving(order).version == 1


def test_every_target_can_be_built_for_and_rolled_back() -> None:
    assert tuple(TARGETS) == installed.TARGETS


def test_the_command_refuses_a_target_that_there_is_not_with_those_that_there_are(builds) -> None:
    order = builds(2)
    done = CliRunner().invoke(rollback, ["small", "--repository", str(order.repository), "--target", "tensort"])
    assert done.exit_code == 2
    assert "'tensort' is not one of 'cpu', 'tensorrt', 'tensorrt_rtx'" in done.output


def test_the_command_rolls_all_tiers_back_or_none(builds, serving: Serving) -> None:
    order = builds(2)
    arguments = ["small", "--repository", str(order.repository), "--tier", "all"]
    with pytest.raises(EngineBuildError, match="there is no small_medium for cpu"):
        CliRunner().invoke(rollback, arguments, catch_exceptions=False)
    assert serving(order).version == 2


def test_roll_back_to_another_size_changes_the_steps_around_the_engine_too(grown: Order) -> None:
    names = installed.find(grown.repository, "small").pipeline
    around = [grown.repository / name / "config.pbtxt" for name in (names.ensemble, names.engine)]
    before = [path.read_text() for path in around]
    said: list[str] = []
    pipeline.build(grown, lambda step: said.append(step.outcome))
    assert said[-1].endswith("; 32 pixels instead of 16: restart servers that are to serve it")
    after = [path.read_text() for path in around]
    assert before != after
    back = install.roll_back(grown.repository, grown.engine, grown.target)
    assert [path.read_text() for path in around] == before
    ensemble = configs.read(around[0])
    assert ensemble.ensemble_scheduling.step[0].model_name == back.pipeline.preprocess == "preprocess_16"
    install.roll_back(grown.repository, grown.engine, grown.target)
    assert [path.read_text() for path in around] == after


def test_a_build_of_another_size_that_fails_at_the_end_leaves_all_configurations(
    grown: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = configurations(grown.repository)

    def full(*arguments: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "sendfile", full)  # by which shutil copies what stages have made
    with pytest.raises(EngineBuildError, match=rf"stage install: cannot write {grown.repository}.*No space left"):
        pipeline.build(grown, lambda step: None)
    assert configurations(grown.repository) == before


def test_configurations_change_together_or_not_at_all(grown: Order) -> None:
    before = configurations(grown.repository)
    in_the_way = grown.repository / grown.pipeline.preprocess
    in_the_way.mkdir()
    (in_the_way / f".config.pbtxt.{os.getpid()}").mkdir()
    with pytest.raises(EngineBuildError, match=r"cannot write .*preprocess_32"):
        pipeline.build(grown, lambda step: None)
    assert configurations(grown.repository) == before


def test_a_build_with_nothing_to_do_writes_only_while_no_other_can_install(
    builds, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = builds(1)
    refused = []

    def another_tries(*arguments: Any) -> None:
        descriptor = os.open(order.repository / order.engine, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            refused.append(error)
        finally:
            os.close(descriptor)

    monkeypatch.setattr(layout, "lay_out", another_tries)
    assert pipeline.build(order, lambda step: None).note == "version 1 is this build; nothing to do"
    assert len(refused) == 1


def test_roll_back_starts_from_what_another_build_installed_while_it_waited(
    builds, make_network, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = builds(2)
    order.source.write_bytes(make_network(bias=0.9).SerializeToString())
    alone = install.alone

    def after_another(folder: Path) -> AbstractContextManager[None]:
        monkeypatch.setattr(install, "alone", alone)
        pipeline.build(order, lambda step: None)
        return alone(folder)

    monkeypatch.setattr(install, "alone", after_another)
    assert install.roll_back(order.repository, order.engine, order.target).version == 2
    assert install.roll_back(order.repository, order.engine, order.target).version == 3


def test_preprocessing_that_another_build_lays_out_at_the_same_time_is_shared(
    make_order, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, relpath = make_order(), os.path.relpath
    link = order.repository / order.pipeline.preprocess / "1" / "model.py"

    def after_another(path: Path, start: Path) -> str:
        target = relpath(path, start)
        if start == link.parent and not link.is_symlink():
            link.symlink_to(target)
        return target

    monkeypatch.setattr(os.path, "relpath", after_another)
    pipeline.build(order, lambda step: None)
    assert link.is_file()
