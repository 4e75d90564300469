"""What Alphacut's client, server and builder share: contract, errors, limits, codec, geometry, render."""

from alphacut_core.contract import CONTRACT_VERSION, DEFAULT_PIPELINE, Pipeline
from alphacut_core.errors import AlphacutError
from alphacut_core.limits import DEFAULT_LIMITS, Limits
from alphacut_core.options import Matting, Options

__all__ = [
    "CONTRACT_VERSION",
    "DEFAULT_LIMITS",
    "DEFAULT_PIPELINE",
    "AlphacutError",
    "Limits",
    "Matting",
    "Options",
    "Pipeline",
]
