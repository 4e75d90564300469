"""OpenVINO's core, of which a process has one and keeps it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from alphacut_core import processors


def read(model: Path | bytes, dims: Sequence[int]) -> Any:
    """Return an ONNX network, a file or its bytes, for one picture of these dimensions at a time.

    Raises:
        ImportError: OpenVINO is not installed.
        RuntimeError: It does not take the network; its message names what it lacks.
    """
    network = _core().read_model(model)
    network.reshape([1, *dims])
    return network


def compile_for_cpu(network: Any, options: Mapping[str, Any]) -> Any:
    """Return ``network`` compiled with OpenVINO's ``options``, to keep to a quota of processors.

    OpenVINO starts a thread for each processor that it sees. With more than the quota allows, the kernel holds some
    back, and the others wait for them: https://github.com/openvinotoolkit/openvino/issues/37838.

    Raises:
        RuntimeError: OpenVINO cannot compile it.
    """
    allowed = processors.quota()
    quota = {} if allowed is None else {"INFERENCE_NUM_THREADS": allowed}
    return _core().compile_model(network, "CPU", {**quota, **options})


@cache
def _core() -> Any:
    """Return the one core.

    A core gives the thread that first compiles with it a stack for signals (SigAltStackSetup in OpenVINO 2026.4), and
    unmaps that stack at its end. Where another thread ends it, or it ends before a younger one, the first thread is
    left with a stack that is gone, and its next signal, Ctrl-C say, is a SIGSEGV.
    """
    # Every import of OpenVINO is told to Google Analytics by this, unless it seems not to be installed.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino  # noqa: PLC0415

    return openvino.Core()
