"""What there is to find out, in order, and how long each may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the course, in a process of its own.

    Attributes:
        name: Of the module beside this one whose ``measure`` finds it out.
        title: For the report.
        budget_s: After this long it is ended, and what it found so far is kept.
        reserved_s: So much of the course's time no earlier section may use up.
    """

    name: str
    title: str
    budget_s: float
    reserved_s: float = 0.0


SECTIONS = (
    Section("machine", "Machine", 30),
    Section("torch_yardstick", "PyTorch FP16, channels last, CUDA graphs", 90),
    Section("tensorrt_rtx", "TensorRT-RTX", 150),
    Section("tensorrt", "TensorRT", 150),
    Section("torch_compiled", "PyTorch FP16, compiled", 150),
    Section("onnx_cuda", "ONNX Runtime with CUDA", 60),
    Section("decoding", "JPEG to square, on the processor and on the GPU", 35, reserved_s=25),
    Section("around", "Around an engine that takes no time", 110, reserved_s=75),
    Section("serving", "The whole way through Triton, with Locust", 230, reserved_s=170),
)
COURSE_S = 560.0
"""Unpacking and all of them together end within this."""

WHOLE_S = 570.0
"""And so the whole call within this, the start of Python and the removal of what was unpacked included."""
