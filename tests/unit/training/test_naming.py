from __future__ import annotations

from pathlib import Path

import pytest

from alphacut_training.naming import names


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["runs/mine/network.pth", "weights/u2netp.onnx"], ["network", "u2netp"]),
        (["runs/mine/network.pth", "runs/pruned/network.pth"], ["mine-network", "pruned-network"]),
        (["a/mine/network.pth", "b/mine/network.pth", "c.pth"], ["1-mine-network", "2-mine-network", "3-c"]),
        (["mine.pth", "mine.onnx"], None),
        (["x/a.pth", "y/a.pth", "x-a.pth"], None),
        (["x/a.pth", "x/a.pth", "1-x-a.pth", "2-x-a.pth"], None),
    ],
)
def test_no_two_networks_have_one_name(files: list[str], expected: list[str] | None) -> None:
    found = names([Path(file) for file in files])
    assert len(set(found)) == len(files)
    assert expected in (None, found)


def test_a_file_of_the_working_folder_goes_by_that_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    assert names([Path("network.pth"), Path("../pruned/network.pth")]) == ["mine-network", "pruned-network"]
