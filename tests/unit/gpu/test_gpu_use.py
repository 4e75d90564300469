"""What the driver says while a load runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.waiting import wait_until


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A driver that says 90 each time but the first and third, and counts."""
    program = tmp_path / "nvidia-smi"
    program.write_text(
        f"#!/bin/sh\necho x >>{tmp_path}/asked\nn=$(wc -l <{tmp_path}/asked)\n"
        "case $n in 1) echo 0;; 3) echo '[N/A]';; *) echo 90;; esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path / "asked"


def test_the_use_of_the_gpu_is_the_median_of_what_the_driver_says(driver: Path) -> None:
    from alphacut_gpu.gpu_use import GpuUse

    with GpuUse(every_s=0.001) as gpu:
        wait_until("six answers", lambda: driver.is_file() and len(driver.read_text().split()) >= 6)
    assert gpu.share == 0.9


def test_where_there_is_no_driver_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu.gpu_use import GpuUse

    monkeypatch.setenv("PATH", str(tmp_path))
    with GpuUse(every_s=0.001) as gpu:
        gpu._thread.join()
    assert gpu.share is None
