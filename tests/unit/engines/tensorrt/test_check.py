"""A plan that does not fit the machine is refused in words before Triton loads it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import EngineError
from alphacut_engines import check, gpu
from alphacut_engines.check import Machine
from alphacut_engines.gpu import Gpu

L4 = Gpu("NVIDIA L4", "8.9", "580.10")
A10 = Gpu("NVIDIA A10", "8.6", "580.10")
BUILT_FOR = {"tensorrt": "11.2.1.2", "gpu": "NVIDIA L4", "compute_capability": "8.9", "driver": "580.10"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose version 2 of the default engine is a plan."""
    model = tmp_path / DEFAULT_PIPELINE.engine
    (model / "2").mkdir(parents=True)
    (model / "configs").mkdir()
    (model / "configs" / "tensorrt.pbtxt").write_text("version_policy {\n  specific {\n    versions: 2\n  }\n}\n")
    (model / "2" / "model.plan").write_bytes(b"plan")
    manifest = {"artefacts": {"model.plan": hashlib.sha256(b"plan").hexdigest()}, "built_for": BUILT_FOR}
    (model / "2" / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


@pytest.mark.parametrize("gpus", [(L4,), (L4, L4), (Gpu("NVIDIA RTX 4090", "8.9", "600.1"),)])
def test_a_plan_fits_where_library_and_compute_capability_are_its_own(repository: Path, gpus: tuple[Gpu, ...]) -> None:
    assert check.problems(repository, Machine("11.2.1", gpus)) == []


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (Machine("11.3.0", (L4,)), "was built by TensorRT 11.2.1.2 and loads in no other; here is 11.3.0"),
        (Machine(None, (L4,)), "needs TensorRT 11.2.1.2, and this machine has none"),
        (
            Machine("11.2.1", ()),
            "needs an NVIDIA L4, and nvidia-smi shows no GPU here, or CUDA_VISIBLE_DEVICES hides it",
        ),
        (
            Machine("11.2.1", (L4, Gpu("NVIDIA A10", "8.6", "580.10"))),
            "was built for compute capability 8.9 (NVIDIA L4); here is 8.6 (NVIDIA A10)",
        ),
    ],
)
def test_what_does_not_fit_is_said_with_file_and_remedy(repository: Path, machine: Machine, words: str) -> None:
    (line,) = check.problems(repository, machine)
    assert line == f"{repository}/u2netp/2/model.plan: {words}; build it here: docker compose run --rm build"


@pytest.mark.parametrize(
    ("content", "words"), [(b"plan, altered", "its checksum is another one"), (None, "is missing")]
)
def test_an_altered_or_missing_plan_is_refused(repository: Path, content: bytes | None, words: str) -> None:
    plan = repository / "u2netp" / "2" / "model.plan"
    if content is None:
        plan.unlink()
    else:
        plan.write_bytes(content)
    (line,) = check.problems(repository, Machine("11.2.1", (L4,)))
    assert words in line


def test_a_plan_that_is_not_served_is_not_looked_at(repository: Path) -> None:
    (repository / "u2netp" / "configs" / "tensorrt.pbtxt").unlink()
    assert check.problems(repository, Machine(None, ())) == []


def test_the_command_ends_with_one_line_and_a_status(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alphacut_client", "check", str(repository)], capture_output=True, text=True, check=False
    )
    if gpu.visible():
        pytest.skip("this machine has a GPU")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "needs TensorRT 11.2.1.2" in done.stderr
    assert "Traceback" not in done.stderr


UUIDS = {"GPU-aaaa": L4, "GPU-abbb": L4, "GPU-cccc": A10}


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, with a driver that shows three GPUs of two kinds."""
    program = tmp_path / "nvidia-smi"
    lines = (f"{one.name}, {one.compute_capability}, {one.driver}, {uuid}" for uuid, one in UUIDS.items())
    program.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
        monkeypatch.delenv(name, raising=False)
    return program


def test_all_gpus_are_seen_where_nothing_hides_them(driver: Path) -> None:
    assert gpu.visible() == (L4, L4, A10)
    driver.write_text("#!/bin/sh\necho 'No devices were found'\n")
    assert gpu.visible() == ()
    driver.write_text("#!/bin/sh\nexit 9\n")
    assert gpu.visible() == ()


@pytest.mark.parametrize(
    ("names", "seen"),
    [
        ("", ()),
        ("-1", ()),
        ("GPU-cccc", (A10,)),
        (" GPU-c , GPU-aaaa", (A10, L4)),
        ("GPU-a", ()),
        ("GPU-cccc,GPU-dddd,GPU-aaaa", (A10,)),
        ("MIG-0123", (L4, L4, A10)),
    ],
    ids=["nothing", "invalid", "UUID", "abbreviated", "ambiguous", "after an invalid one", "MIG"],
)
def test_only_gpus_that_cuda_shows_to_programs_count(
    driver: Path, monkeypatch: pytest.MonkeyPatch, names: str, seen: tuple[Gpu, ...]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", names)
    assert gpu.visible() == seen


@pytest.mark.parametrize(("names", "seen"), [("2", (A10,)), ("2,0", (A10, L4)), ("0,3,2", (L4,)), ("1,-1,2", (L4,))])
def test_indices_are_nvidia_smis_where_cuda_is_told_to_count_alike(
    driver: Path, monkeypatch: pytest.MonkeyPatch, names: str, seen: tuple[Gpu, ...]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", names)
    assert gpu.visible() == (L4, L4, A10), "CUDA may number several kinds otherwise, so that any may be meant"
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    assert gpu.visible() == seen


def test_indices_of_gpus_of_one_kind_need_no_order() -> None:
    assert gpu.chosen({"GPU-a": L4, "GPU-b": L4}, {"CUDA_VISIBLE_DEVICES": "1"}) == (L4,)


@pytest.mark.parametrize(
    ("shown", "words"), [((), "shows none here"), ((L4, Gpu("NVIDIA A10", "8.6", "1")), "several kinds")]
)
def test_one_kind_of_gpu_is_needed_to_build(
    monkeypatch: pytest.MonkeyPatch, shown: tuple[Gpu, ...], words: str
) -> None:
    monkeypatch.setattr(gpu, "visible", lambda: shown)
    with pytest.raises(EngineError, match=words):
        gpu.to_build_for()
