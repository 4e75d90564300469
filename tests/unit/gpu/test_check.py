"""A machine says what it lacks before anything large is carried there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alphacut_server import interpreter

GPU = Path(__file__).resolve().parents[2] / "gpu"


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, with a driver that shows two GPUs."""
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\necho 'NVIDIA H200, 9.0, 143771 MiB, 580.1'\necho 'NVIDIA L4, 8.9, 23034 MiB, 580.1'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return program


def test_gpus_are_told_in_the_words_of_the_driver(driver: Path) -> None:
    from alphacut_gpu import check

    lines = [str(fact) for fact in check.facts()]
    both = "NVIDIA H200, 9.0, 143771 MiB, driver 580.1; NVIDIA L4, 8.9, 23034 MiB, driver 580.1"
    assert f"ok     {both}" in lines
    driver.write_text(driver.read_text().replace("580.1", "550.54"))
    assert any(str(fact).startswith("lacks  NVIDIA H200") and "need driver 580" in str(fact) for fact in check.facts())


def test_a_driver_that_fails_is_told_in_its_words(driver: Path) -> None:
    from alphacut_gpu import check

    driver.write_text("#!/bin/sh\necho 'Failed to initialize NVML' >&2; exit 9\n")
    (fact,) = (fact for fact in check.facts() if "nvidia-smi" in str(fact))
    assert fact.words == "a GPU that nvidia-smi shows (it says: Failed to initialize NVML)"


def test_pytorch_is_told_with_the_cuda_it_was_built_for_and_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alphacut_gpu import check

    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    written = "from typing import Optional\n__version__ = '2.11.0+cu130'\ncuda: Optional[str] = {}\n"
    (package / "version.py").write_text(written.format("'13.0'"))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert f"ok     PyTorch 2.11.0+cu130 for CUDA 13.0, {package}" in [str(fact) for fact in check.facts()]
    (package / "version.py").write_text(written.format("None"))
    assert any(str(fact).startswith("lacks  PyTorch 2.11.0+cu130 for no CUDA") for fact in check.facts())


def test_a_compiler_that_lacks_is_told_with_what_follows(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import check

    monkeypatch.setenv("CXX", "no-such-compiler")
    (line,) = (str(fact) for fact in check.facts() if "no-such-compiler" in str(fact))
    assert "torch_compiled is not run: PyTorch is served by CUDA graphs" in line


def test_what_cannot_be_looked_at_does_not_keep_the_rest_from_being_told(
    driver: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alphacut_gpu import check, libpython

    def refused(version: str) -> Path:
        raise PermissionError("/usr/lib")

    monkeypatch.setattr(libpython, "find", refused)
    lines = [str(fact) for fact in check.facts()]
    assert "lacks  library: PermissionError: /usr/lib: look at it by hand" in lines
    assert any("shared memory free" in line for line in lines)


def test_what_is_lacking_is_told_with_what_follows_and_is_the_exit_status(
    driver: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from alphacut_gpu import check, libpython

    driver.unlink()
    monkeypatch.setattr(libpython, "find", lambda version: None)
    assert check.tell() == 1
    told = capsys.readouterr().out
    version = "{}.{}".format(*sys.version_info)
    assert "lacks  a GPU that nvidia-smi shows (there is no nvidia-smi): only the processor is measured" in told
    assert (
        f"lacks  libpython{version}.so.1.0: around and serving fail; carry this very build's by tests/gpu/pack.sh"
        in told
    )


def test_nothing_lacking_is_a_success(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import check, compiler, libpython

    monkeypatch.setattr(libpython, "find", lambda version: Path("/usr/lib", libpython.name(version)))
    monkeypatch.setattr(check, "_has", lambda package: True)
    monkeypatch.setattr(check, "_pytorch", lambda: check.Fact(True, "PyTorch", ""))
    monkeypatch.setattr(compiler, "lacking", list)
    for needed in ("_DISK_GB", "_MEMORY_GB", "_SHARED_MB"):
        monkeypatch.setattr(check, needed, 0)
    assert check.tell() == 0


def test_it_needs_no_library_at_all() -> None:
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.append({str(GPU)!r}); import alphacut_gpu.__main__",
    ]
    subprocess.run(command, check=True)


def test_versions_and_places_are_the_embedded_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import libpython

    assert libpython.VERSIONS == interpreter.SUPPORTED
    (tmp_path / libpython.name("3.0")).touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/nowhere:{tmp_path}")
    assert libpython.find("3.0") == tmp_path / libpython.name("3.0")


def test_a_carried_library_stands_behind_the_machines_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import libpython

    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/local/nvidia/lib64")
    monkeypatch.setattr(libpython, "find", lambda version: tmp_path)
    libpython.offer(tmp_path)
    assert os.environ["LD_LIBRARY_PATH"] == "/usr/local/nvidia/lib64"
    monkeypatch.setattr(libpython, "find", lambda version: None)
    libpython.offer(tmp_path)
    assert os.environ["LD_LIBRARY_PATH"] == f"/usr/local/nvidia/lib64:{tmp_path}"
    monkeypatch.delenv("LD_LIBRARY_PATH")
    libpython.offer(tmp_path)
    assert os.environ["LD_LIBRARY_PATH"] == str(tmp_path)
