"""What an engine tells its clients, as parameters of its Triton configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tritonclient.grpc.model_config_pb2 import ModelConfig

from alphacut_engines import configs, manifest

PREVIOUS = "previous_version"
ROLLED_BACK = "rolled_back_version"

_TOLD = (
    "contract_version", "tier", "size", "native_size", "target", "precision", "engine_sha256", "source_sha256",
    "time_ms", "machine", "created_by",
)  # fmt: skip
_ACCURACY = ("mean_difference", "mean_iou", "iou_p1", "pictures", "photographs")


def config(written: Mapping[str, Any], version: int, state: Mapping[str, int | None]) -> ModelConfig:
    """Return the configuration that makes Triton serve one version of an engine.

    Args:
        written: The manifest of that version.
        version: Its directory.
        state: ``PREVIOUS`` and ``ROLLED_BACK`` versions, where there are such.
    """
    maker = configs.ENGINES[written["target"]]
    return configs.select(
        maker(manifest.pipeline(written)), version, {**_parameters(written, version), **_stated(state)}
    )


def _parameters(written: Mapping[str, Any], version: int) -> dict[str, str]:
    """Return parameter name to value; what was not measured is left out."""
    return _stated(
        {
            "model": written["slot"],
            "network": written["model"],
            "licence": written["recipe"]["licence"],
            "engine_version": version,
            **{name: written[name] for name in _TOLD},
            **{name: (written["accuracy"] or {}).get(name) for name in _ACCURACY},
        }
    )


def _stated(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}
