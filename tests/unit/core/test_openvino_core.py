"""Signals still reach a process after OpenVINO compiled in it, whoever drops what was compiled, and when."""

from __future__ import annotations

import subprocess
import sys

import pytest

START = """
import os, signal, threading
from onnx import TensorProto, helper
from alphacut_core import openvino_core

image, mask = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in ("IMAGE", "MASK"))
graph = helper.make_graph([helper.make_node("Relu", ["IMAGE"], ["MASK"])], "network", [image], [mask])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()

def compiled():
    return openvino_core.compile_for_cpu(openvino_core.read(model, [3]), {})

signal.signal(signal.SIGTERM, lambda *_: print("handled"))
"""
END = "os.kill(os.getpid(), signal.SIGTERM)\n"


@pytest.mark.parametrize(
    "use",
    [
        "held = [compiled()]\nthread = threading.Thread(target=held.clear)\nthread.start()\nthread.join()\n",
        "held = [compiled()]\nheld.append(compiled())\ndel held[0]\ndel held[0]\n",
    ],
    ids=["another thread drops it", "the older one goes first"],
)
def test_a_signal_is_handled_after_what_was_compiled_is_gone(use: str) -> None:
    command = [sys.executable, "-c", START + use + END]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr
