"""``alphacut remove`` and ``alphacut demo`` against a real Triton, as processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from tests.waiting import wait_until

pytestmark = pytest.mark.triton

COPIES = 6


def alphacut(*arguments: str | Path) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "ALPHACUT_URL"}
    return subprocess.Popen(
        [sys.executable, "-m", "alphacut_client", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        stdout, stderr = process.communicate(timeout=200)
    finally:
        process.kill()
    return process.returncode, stdout, stderr


def wait_for_results(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Return when so many results are there; files are the only sign that a foreign process gives."""

    def are_there() -> bool:
        if len(list(folder.rglob("*.png"))) >= count:
            return True
        assert process.poll() is None, process.communicate()[1]
        return False

    wait_until(f"the writing of {count} results", are_there)


@pytest.fixture
def photos(samples: dict[str, bytes], tmp_path: Path) -> Path:
    """The samples, several times over, in folders."""
    for copy in range(COPIES):
        folder = tmp_path / "photos" / f"day{copy}"
        folder.mkdir(parents=True)
        for name, data in samples.items():
            (folder / f"{name}.jpg").write_bytes(data)
    return tmp_path / "photos"


def test_killing_triton_in_the_middle_of_a_folder_loses_no_image(
    start_server: Callable[..., Any], photos: Path, samples: dict[str, bytes], tmp_path: Path
) -> None:
    server = start_server()
    out = tmp_path / "out"
    process = alphacut("remove", photos, "-o", out, "--url", server.url, "--jobs", "4")
    wait_for_results(out, 3, process)
    server.triton().kill()
    done_before = len(list(out.rglob("*.png")))
    status, _, stderr = finish(process)
    assert (status, done_before < COPIES * len(samples)) == (0, True), stderr
    for source in photos.rglob("*.jpg"):
        with Image.open(source) as photo, Image.open(out / source.relative_to(photos).with_suffix(".png")) as cutout:
            assert (cutout.mode, cutout.size) == ("RGBA", photo.size)
            cutout.load()
    assert len(list(out.rglob("*.*"))) == COPIES * len(samples)


def test_without_an_address_a_server_is_started_for_the_call_and_ends_with_it(
    samples: dict[str, bytes], tmp_path: Path
) -> None:
    source = tmp_path / "cat.jpg"
    source.write_bytes(samples["cat"])
    process = alphacut("remove", source, "-o", tmp_path / "cutout.png")
    seen: dict[psutil.Process, str] = {}
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):  # one that has just ended
            seen |= {child: child.name() for child in psutil.Process(process.pid).children(recursive=True)}
        time.sleep(0.02)
    status, _, stderr = finish(process)
    assert status == 0, stderr
    assert "tritonserver" in seen.values()
    _, alive = psutil.wait_procs(list(seen), timeout=8)
    assert not alive
    with Image.open(tmp_path / "cutout.png") as cutout:
        assert cutout.mode == "RGBA"


def test_ctrl_c_in_a_folder_leaves_whole_files_and_no_process(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = alphacut("remove", photos, "-o", out)
    wait_for_results(out, 2, process)
    everything = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    status, _, stderr = finish(process)
    assert (status, "Traceback" in stderr) == (1, False), stderr
    _, alive = psutil.wait_procs(everything, timeout=8)
    assert not alive
    for path in out.rglob("*.*"):
        with Image.open(path) as cutout:
            cutout.load()


def test_the_demo_writes_cut_outs_and_a_contact_sheet_and_says_where_the_time_went(
    samples: dict[str, bytes], tmp_path: Path
) -> None:
    status, stdout, stderr = finish(alphacut("demo", "--output", tmp_path / "out"))
    assert status == 0, stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "contact_sheet.png",
        *(f"{name}.png" for name in samples),
    }
    for told in ("decode", "wait", "encode", "server", "contact_sheet.png"):
        assert told in stdout


def test_the_demo_without_photographs_says_what_to_name(tmp_path: Path) -> None:
    status, _, stderr = finish(alphacut("demo", "--photos", tmp_path / "nowhere"))
    assert status == 1
    assert stderr.startswith("error: found no folder")
    assert "--photos" in stderr
