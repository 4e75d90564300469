"""What Alphacut's client, server and builder share: contract, errors, limits, codec, geometry, render."""

from alphacut_core.background import Blur, Checkerboard, Gradient
from alphacut_core.contract import CONTRACT_VERSION, DEFAULT_PIPELINE, Pipeline
from alphacut_core.crop import Crop
from alphacut_core.errors import AlphacutError, NoSubjectError
from alphacut_core.limits import DEFAULT_LIMITS, Limits
from alphacut_core.options import Options
from alphacut_core.refinements import Matting, Refine

__all__ = [
    "CONTRACT_VERSION",
    "DEFAULT_LIMITS",
    "DEFAULT_PIPELINE",
    "AlphacutError",
    "Blur",
    "Checkerboard",
    "Crop",
    "Gradient",
    "Limits",
    "Matting",
    "NoSubjectError",
    "Options",
    "Pipeline",
    "Refine",
]
