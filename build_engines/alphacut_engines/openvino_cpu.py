"""The CPU's engine: OpenVINO, run here exactly as the server will run it."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from alphacut_core import openvino_core
from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.errors import EngineBuildError, MissingLibraryError
from alphacut_core.geometry import Pixels
from alphacut_engines import processor


def compile_options(precision: str) -> dict[str, str]:
    """Return the properties to compile a graph with.

    INT8 is in the graph. What it leaves out is computed in BF16 where the processor has it: 5 to 7 % faster than in
    FP32 on one with AMX, and judged by the gate together with the rest.
    """
    rest = {"bf16": "bf16", "int8": "f32" if processor.lacking("bf16") else "bf16"}
    return {"INFERENCE_PRECISION_HINT": rest.get(precision, "f32")}


class OpenVinoEngine:
    """A fused network compiled for this processor in one precision. Not thread-safe."""

    def __init__(self, model: onnx.ModelProto, precision: str) -> None:
        """Compile ``model`` for single pictures.

        Raises:
            EngineBuildError: OpenVINO does not take the network.
            MissingLibraryError: OpenVINO is not installed.
        """
        size = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
        image = image_spec(size)
        self._image, self._mask = image.name, mask_spec(size).name
        try:
            network = openvino_core.read(model.SerializeToString(), image.dims)
            compiled = openvino_core.compile_for_cpu(network, compile_options(precision))
        except ImportError as error:
            raise MissingLibraryError(
                f"checking {precision} needs OpenVINO; run pip install '.[engines]' in Alphacut's checkout"
            ) from error
        except RuntimeError as error:  # OpenVINO has no error of its own
            version = metadata.version("openvino")
            raise EngineBuildError(
                f"stage engine: OpenVINO {version} refuses the network in {precision} ({_reason(error)}); "
                "export it with the operators that it names replaced, best with opset 17"
            ) from error
        self._request: Any = compiled.create_infer_request()

    def masks(self, pictures: Pixels) -> tuple[Pixels, NDArray[np.float32]]:
        """Run uint8 (N, S, S, 3) one by one; return masks uint8 (N, S, S) and confidences float32 (N, 1)."""
        masks, confidences = [], []
        for picture in pictures:
            outcome = self._request.infer({self._image: picture[None]})
            masks.append(outcome[self._mask][0].copy())
            confidences.append(outcome[CONFIDENCE.name][0].copy())
        return np.stack(masks), np.stack(confidences)


def _reason(error: RuntimeError) -> str:
    """Return the line of OpenVINO's report that says what it lacks, else its last one."""
    lines = [line.strip(" -") for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("No conversion rule")), lines[-1])
