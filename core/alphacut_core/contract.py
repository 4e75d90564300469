"""The wire contract: which tensors travel between client, ensemble, adapters and engine.

Every ``config.pbtxt`` repeats these names, types and shapes; tests compare them, and each adapter compares
``CONTRACT_VERSION`` when it loads. Shapes here are those of one image: Triton adds the batch axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alphacut_core.errors import ContractError

CONTRACT_VERSION = "1"


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor: its name, Triton's name of its type, and the shape of one image's share."""

    name: str
    datatype: str
    dims: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What one Triton model takes and gives."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


ENCODED = TensorSpec("ENCODED", "UINT8", (-1,))
"""An image file, byte for byte (JPEG, PNG, ...)."""

OPTIONS = TensorSpec("OPTIONS", "UINT8", (-1,))
"""``alphacut_core.options.Options`` as JSON in UTF-8."""

CONFIDENCE = TensorSpec("CONFIDENCE", "FP32", (1,))
"""Maximum of the network's map before it is stretched to 0..255, which hides how sure it was.

Request it from the ensemble along with MASK, RENDERED or both, never those alone nor it alone: Triton skips
the steps nobody needs, but its pruning loses the engine's step in the other cases (2.51 says "unexpected
deadlock, at least one output is not set").
"""

RENDERED = TensorSpec("RENDERED", "UINT8", (-1,))
"""The encoded picture that was asked for; made only when this output is requested."""

LEVEL = "level"
"""A request's parameter: its lane in the line before a step in Python, 1 going first; without it 1.

Triton's own parameters, ``priority`` and ``timeout``, count in its queues alone, where nobody waits.
"""

WAIT_US = "wait_us"
"""A request's parameter: the microseconds after which such a step refuses it, unless its work has begun."""


def image_spec(size: int) -> TensorSpec:
    """Return the engine's input: RGB, rows first, exactly ``size`` pixels square."""
    return TensorSpec("IMAGE", "UINT8", (size, size, 3))


def mask_spec(size: int) -> TensorSpec:
    """Return the engine's output: 0 is background, 255 is subject."""
    return TensorSpec("MASK", "UINT8", (size, size))


ANY_MASK = TensorSpec("MASK", "UINT8", (-1, -1))
"""What postprocessing takes: masks of all tiers, several sizes in one batch."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One ensemble and its three steps."""

    ensemble: str
    preprocess: str
    engine: str
    postprocess: str
    size: int

    def models(self) -> tuple[ModelSpec, ...]:
        """Return the specification of every model of the pipeline, ensemble first."""
        image, mask = image_spec(self.size), mask_spec(self.size)
        return (
            ModelSpec(self.ensemble, (ENCODED, OPTIONS), (mask, CONFIDENCE, RENDERED)),
            ModelSpec(self.preprocess, (ENCODED, OPTIONS), (image,)),
            ModelSpec(self.engine, (image,), (mask, CONFIDENCE)),
            ModelSpec(self.postprocess, (ENCODED, OPTIONS, ANY_MASK), (RENDERED,)),
        )


DEFAULT_PIPELINE = Pipeline(
    ensemble="remove_background",
    preprocess="preprocess",
    engine="u2netp",
    postprocess="postprocess",
    size=320,
)


def check_version(model: str, parameters: Mapping[str, Mapping[str, str]]) -> None:
    """Compare the contract version in a parsed ``config.pbtxt`` with this package's.

    Args:
        model: Triton's name of the model, for the message.
        parameters: ``model_config["parameters"]`` as the Python backend hands it over.

    Raises:
        ContractError: The version is missing or another one.
    """
    configured = parameters.get("contract_version", {}).get("string_value")
    if configured != CONTRACT_VERSION:
        raise ContractError(
            f"model {model!r} is configured for contract version {configured!r}, alphacut_core here speaks "
            f"{CONTRACT_VERSION!r}; install the alphacut_core that came with this model repository"
        )
