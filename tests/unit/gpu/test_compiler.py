"""What compiles ahead of time is looked for where PyTorch looks, and finds the driver wherever that lies."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest


def test_the_toolkit_is_the_one_with_headers_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alphacut_gpu import compiler

    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    assert compiler.toolkit() is None
    assert "CUDA's headers (CUDA_HOME/include/cuda.h)" in compiler.lacking()
    (tmp_path / "include").mkdir()
    for header in ("cuda.h", "cuda_runtime_api.h"):
        (tmp_path / "include" / header).touch()
    assert compiler.toolkit() == tmp_path


def test_the_toolkit_is_found_by_its_compiler_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import compiler

    for name in ("CUDA_HOME", "CUDA_PATH"):
        monkeypatch.delenv(name, raising=False)
    for path in ("bin/nvcc", "include/cuda.h", "include/cuda_runtime_api.h"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("CXX", raising=False)
    assert compiler.toolkit() == tmp_path
    assert compiler.lacking()[0] == "g++"


def test_a_driver_where_no_linker_looks_is_linked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import compiler

    if compiler.program() is None:
        pytest.skip("no C++ compiler here")
    monkeypatch.setenv("LIBRARY_PATH", "/nowhere")
    monkeypatch.chdir(tmp_path)
    Path("driver.cpp").write_text('extern "C" int cuInit(unsigned) { return 0; }')
    Path("network.cpp").write_text('extern "C" int cuInit(unsigned); extern "C" int run() { return cuInit(0); }')
    build = ["g++", "-shared", "-fPIC", "-Wl,--no-undefined"]
    subprocess.run([*build, "driver.cpp", "-o", "libcuda.so.1"], check=True)
    driver = ctypes.CDLL(str(tmp_path / "libcuda.so.1"))
    assert driver.cuInit(0) == 0
    for _ in range(2):
        compiler.let_link(tmp_path)
    subprocess.run([*build, "network.cpp", "-o", "network.so", "-lcuda"], check=True)


@pytest.mark.parametrize(("lacks", "told"), [(["g++"], "there lacks g\\+\\+ \\(no code\\)"), ([], "no code")])
def test_a_network_that_does_not_compile_is_no_failure_where_a_compiler_lacks(
    lacks: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alphacut_gpu import accelerator, compiler, torch_compiled
    from alphacut_gpu.place import NotRunError, Place

    def package(torch: Any, network: Any, path: Path) -> None:
        raise ValueError("no code")

    def fused(name: str, dtype: str) -> Any:
        return types.SimpleNamespace(cuda=lambda: name)

    backends = types.SimpleNamespace(cudnn=types.SimpleNamespace())
    monkeypatch.setattr(accelerator, "torch", lambda: types.SimpleNamespace(float16="fp16", backends=backends))
    monkeypatch.setitem(sys.modules, "alphacut_gpu.pytorch_network", types.SimpleNamespace(Fused=fused))
    monkeypatch.setattr(compiler, "lacking", lambda: lacks)
    monkeypatch.setattr(torch_compiled, "package", package)
    with pytest.raises(NotRunError if lacks else ValueError, match=told):
        torch_compiled.measure(Place(tmp_path, None, quick=True))
