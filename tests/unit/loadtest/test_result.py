"""The JSON that later tools read."""

from __future__ import annotations

import json
from dataclasses import replace

from alphacut_loadtest.bench.result import SCHEMA, Result


def test_json_holds_origin_raw_turns_and_sums(result: Result) -> None:
    content = json.loads(result.to_json())
    assert content["schema"] == SCHEMA
    assert set(content) == {
        "schema", "created", "commit", "machine", "engine", "versions", "start_s", "pictures", "contenders",
        "left_out", "measurements", "footprints", "parity", "figures", "ratios", "targets",
    }  # fmt: skip
    assert content["commit"] == {"sha": "0123456789abcdef", "changed": True}
    assert content["machine"]["cores"] == 2
    assert content["engine"]["precision"] == "bf16"


def test_every_call_is_kept(result: Result) -> None:
    content = json.loads(result.to_json())
    assert len(content["measurements"]) == 12
    turn = content["measurements"][0]
    assert turn["latencies_s"] == [[0, 1.0], [1, 1.0], [0, 1.0], [1, 1.0]]
    assert turn["peak_rss_bytes"] == {"client": 100 * 2**20, "tritonserver": 200 * 2**20}


def test_pictures_are_named_without_the_machines_folders(result: Result) -> None:
    content = json.loads(result.to_json())
    assert [picture["name"] for picture in content["pictures"]] == ["small.png", "large.jpg"]
    assert content["pictures"][0]["width"] == 40
    assert content["pictures"][0]["bytes"] > 0
    assert str(result.pictures[0].path.parent) not in result.to_json()


def test_an_unknown_commit_is_null(result: Result) -> None:
    assert json.loads(replace(result, commit=None).to_json())["commit"] is None
