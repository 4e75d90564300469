"""ONNX Runtime in FP32 on the CPU: what every other engine is measured against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.errors import EngineBuildError
from alphacut_core.geometry import Pixels

# ONNX Runtime's errors share no base class of their own.
ORT_ERRORS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


class Reference:
    """A network in memory, ready to run. Not thread-safe in its arguments, stateless between calls."""

    def __init__(self, model: onnx.ModelProto, stage: str, *, as_is: bool = False) -> None:
        """Load ``model``.

        Args:
            model: In memory.
            stage: Of the build, for errors.
            as_is: Run the graph node by node as it is written, without ONNX Runtime's own optimisations.

        Raises:
            EngineBuildError: ONNX Runtime does not take the network.
        """
        self._stage = stage
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if as_is:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except ORT_ERRORS as error:
            raise EngineBuildError(
                f"stage {stage}: ONNX Runtime refuses the network ({error}); export it with standard operators"
            ) from error

    @classmethod
    def of_file(cls, path: Path) -> Reference:
        """Load an installed network."""
        return cls(onnx.load(path), "load")

    def run(self, tensor: NDArray[Any]) -> list[NDArray[Any]]:
        """Return all outputs for one input tensor, batch axis first.

        Raises:
            EngineBuildError: The network fails on this input.
        """
        name = self._session.get_inputs()[0].name
        try:
            outputs: list[NDArray[Any]] = self._session.run(None, {name: tensor})
        except ORT_ERRORS as error:
            raise EngineBuildError(
                f"stage {self._stage}: the network fails on an input of shape {tensor.shape} ({error}); "
                "export it with a dynamic batch axis"
            ) from error
        return outputs

    def masks(self, pictures: Pixels) -> tuple[Pixels, NDArray[np.float32]]:
        """Run a fused network.

        Args:
            pictures: uint8 (N, S, S, 3) RGB.

        Returns:
            Masks uint8 (N, S, S) and confidences float32 (N, 1).
        """
        size = pictures.shape[1]
        masks, confidences = self._session.run(
            [mask_spec(size).name, CONFIDENCE.name], {image_spec(size).name: pictures}
        )
        return masks, confidences
