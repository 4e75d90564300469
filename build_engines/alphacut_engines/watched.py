"""A network that shows what flows through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from alphacut_engines.reference import Reference


class Watched:
    """A network in memory that answers with tensors from its inside."""

    def __init__(
        self, model: onnx.ModelProto, tensors: Sequence[str], stage: str, nodes: Sequence[onnx.NodeProto] = ()
    ) -> None:
        """Load a copy of ``model``.

        Args:
            model: Stays as it is.
            tensors: Names of the float32 tensors to show, in the network or in ``nodes``.
            stage: Of the build, for errors.
            nodes: Put behind the network's own, to show less than whole tensors.

        Raises:
            EngineBuildError: ONNX Runtime does not take the network.
        """
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        copy.graph.node.extend(nodes)
        copy.graph.output.extend(
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in tensors
        )
        self._tensors = tensors
        self._outputs = len(model.graph.output)
        self._network = Reference(copy, stage)

    def values(self, images: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the tensors by name, batch axis first, that one input gives."""
        return dict(zip(self._tensors, self._network.run(images)[self._outputs :], strict=True))


def shapes(model: onnx.ModelProto, tensors: Sequence[str], stage: str) -> dict[str, tuple[int, ...]]:
    """Return the shapes that tensors have for one picture: in the graph they depend on the batch."""
    declared = model.graph.input[0].type.tensor_type
    dims = [dim.dim_value or 1 for dim in declared.shape.dim]
    nodes = []
    for name in tensors:
        nodes.append(onnx.helper.make_node("Shape", [name], [f"{name}/shape"]))
        nodes.append(onnx.helper.make_node("Cast", [f"{name}/shape"], [f"{name}/dims"], to=onnx.TensorProto.FLOAT))
    watched = Watched(model, [f"{name}/dims" for name in tensors], stage, nodes)
    values = watched.values(np.zeros(dims, onnx.helper.tensor_dtype_to_np_dtype(declared.elem_type)))
    return {name.removesuffix("/dims"): tuple(value.astype(int).tolist()) for name, value in values.items()}
