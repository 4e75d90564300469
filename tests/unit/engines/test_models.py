"""``alphacut models``: what is installed, for people and for programs."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

from click.testing import CliRunner

from alphacut_engines import pipeline
from alphacut_engines.models import models


def listed(repository: Path, *arguments: str) -> str:
    done = CliRunner().invoke(models, ["--repository", str(repository), *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_every_installed_engine_is_listed_with_what_is_known_of_it(make_order, make_network) -> None:
    order = make_order()
    for bias in (0.0, 0.5):
        order.source.write_bytes(make_network(bias=bias).SerializeToString())
        pipeline.build(order, lambda step: None)
    assert listed(order.repository).startswith("small full for cpu: fp32, 16 pixels, version 2, mean |Δ| - of 255, ")
    [row] = json.loads(listed(order.repository, "--json"))
    assert (row["model"], row["tier"], row["version"], row["previous"]) == ("small", "full", 2, [1])
    assert (row["licence"], row["mean_iou"]) == (order.recipe.licence, None)
    engine = Path(row["folder"]) / "model.onnx"
    assert row["engine_bytes"] == engine.stat().st_size
    assert row["time_ms"] >= 0


def test_what_a_killed_build_and_a_user_left_beside_the_versions_is_none(make_order) -> None:
    order = make_order()
    found = pipeline.build(order, lambda step: None).installed
    for name in (".installing", "1.bak"):
        shutil.copytree(found.folder, found.folder.with_name(name))
    [row] = json.loads(listed(order.repository, "--json"))
    assert (row["version"], row["previous"]) == (1, [])


def test_an_engine_whose_file_is_gone_hides_no_other(make_order, recipe) -> None:
    order = make_order()
    for engine in ("broken", "whole"):
        found = pipeline.build(
            dataclasses.replace(order, recipe=dataclasses.replace(recipe, engine=engine)), lambda step: None
        ).installed
        if engine == "broken":
            (found.folder / "model.onnx").unlink()
    broken, whole = listed(order.repository).splitlines()
    assert "its file is missing: run alphacut build again" in broken
    assert whole.startswith("whole full for cpu: ")
    assert [row["engine_bytes"] is None for row in json.loads(listed(order.repository, "--json"))] == [True, False]


def test_an_empty_repository_says_what_to_do(tmp_path: Path) -> None:
    assert listed(tmp_path) == "no engine is installed; run: alphacut build\n"
    assert json.loads(listed(tmp_path, "--json")) == []
