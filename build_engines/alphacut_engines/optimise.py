"""Stage optimise: the network alone, one output, any batch size, constants folded."""

from __future__ import annotations

import numpy as np
import onnx
import onnxslim
from numpy.typing import NDArray

from alphacut_core.errors import EngineBuildError
from alphacut_engines import batch_axis, recentre
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference

PROVED_BATCHES = (1, 2, 7)
"""Batch sizes that are run; one picture alone is the standard for the others."""

_OPSET = 17
_MAX_MAP_DIFFERENCE = 1e-4
"""Of values up to 1; of larger ones, as maps are before a sigmoid, it is a share of the largest."""


def optimise(source: onnx.ModelProto, recipe: ModelRecipe, native_size: int | None = None) -> onnx.ModelProto:
    """Return the network cut to the recipe's output, with a free batch axis and nothing superfluous.

    Args:
        source: The network as it was loaded; it stays as it is.
        recipe: Which output is wanted and how large the input is to be.
        native_size: How large it is in ``source``, in pixels, if that is another size than the recipe's.

    Returns:
        Input float32 [batch, 3, S, S], output float32 [batch, channels, S, S].

    Raises:
        EngineBuildError: The graph cannot be simplified, its batch axis is fixed inside, the result computes
            other values than the source, or the network works at its own size only.
    """
    if native_size in (None, recipe.size):
        return _optimise(source, recipe)
    try:
        return _optimise(source, recipe)
    except EngineBuildError as error:
        raise EngineBuildError(
            f"stage optimise: {recipe.name} works at {native_size} pixels and not at {recipe.size}; build --tier full "
            f"only, or export it without fixed sizes ({error})"
        ) from error


def _optimise(source: onnx.ModelProto, recipe: ModelRecipe) -> onnx.ModelProto:
    try:
        model = exported(source, recipe)
        standard = _standard(source, model, recipe)
        slim: onnx.ModelProto = onnxslim.slim(model)
        onnx.checker.check_model(slim, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
        raise EngineBuildError(
            f"stage optimise: the graph of {recipe.name} cannot be simplified ({error}); export it with opset 17"
        ) from error
    if not slim.graph.input:
        raise EngineBuildError(
            f"stage optimise: the map of {recipe.name} does not depend on the picture; export it again, or give the "
            "recipe that describes this network"
        )
    _name_nodes(slim.graph)
    centred = recentre.recentre(slim, recipe)
    _prove(standard, centred, recipe)
    return centred


def exported(source: onnx.ModelProto, recipe: ModelRecipe) -> onnx.ModelProto:
    """Return a copy of the network as it was exported, but for one output, a free batch axis and opset 17."""
    model = _copy(source)
    _keep_one_output(model, recipe.output)
    model = at_least_opset(model, _OPSET)
    batch_axis.free(model, recipe)
    return model


def _standard(source: onnx.ModelProto, freed: onnx.ModelProto, recipe: ModelRecipe) -> onnx.ModelProto:
    """Return what the result has to compute: the source, or where that takes another size only, the same resized."""
    declared = batch_axis.picture(source).type.tensor_type.shape.dim[2].dim_value
    if declared in (0, recipe.size):
        return source
    return _copy(freed)


def _copy(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def _keep_one_output(model: onnx.ModelProto, position: int) -> None:
    wanted = model.graph.output[position]
    del model.graph.output[:]
    model.graph.output.append(wanted)


def _name_nodes(graph: onnx.GraphProto) -> None:
    """Give nodes without a name that of their first output: later stages tell nodes apart by it."""
    for node in graph.node:
        node.name = node.name or node.output[0]


def at_least_opset(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """Return ``model`` in an opset that is not older than ``opset``."""
    (current,) = (entry.version for entry in model.opset_import)
    return model if current >= opset else onnx.version_converter.convert_version(model, opset)


def _prove(source: onnx.ModelProto, model: onnx.ModelProto, recipe: ModelRecipe) -> None:
    """Run the result: as the source on one picture, and on batches as on single pictures."""
    shape = (max(PROVED_BATCHES), 3, recipe.size, recipe.size)
    pictures = np.random.default_rng(0).uniform(-2.0, 2.5, shape).astype(np.float32)
    network = Reference(model, "optimise")
    singles = np.concatenate([network.run(picture[None])[0] for picture in pictures])
    outputs = Reference(source, "source").run(pictures[:1])
    wanted = outputs[recipe.output] if len(outputs) > 1 else outputs[0]
    if wanted.shape != (1, recipe.channels, recipe.size, recipe.size):
        raise EngineBuildError(
            f"stage optimise: the map of {recipe.name} has the shape {wanted.shape}; it has to be "
            f"(1, {recipe.channels}, {recipe.size}, {recipe.size}): export it with the map enlarged to the picture's "
            "size, or give the recipe that describes this network"
        )
    _compare(singles[:1], wanted, f"{recipe.name} after simplification", "export it with opset 17")
    for batch in PROVED_BATCHES[1:]:
        what = f"{recipe.name} in batches of {batch}"
        _compare(network.run(pictures[:batch])[0], singles[:batch], what, "export it with a dynamic batch axis")


def _compare(got: NDArray[np.float32], wanted: NDArray[np.float32], what: str, remedy: str) -> None:
    if not (np.isfinite(got).all() and np.isfinite(wanted).all()):
        raise EngineBuildError(f"stage optimise: {what} gives NaN or infinity; train it again, or export it in FP32")
    difference = float(np.abs(got - wanted).max()) if got.shape == wanted.shape else np.inf
    allowed = _MAX_MAP_DIFFERENCE * max(1.0, float(np.abs(wanted).max()))
    if difference > allowed:
        raise EngineBuildError(
            f"stage optimise: {what} computes other values: shape {got.shape} and {wanted.shape}, "
            f"max |Δ| {difference:.1e}, allowed {allowed:.0e}; {remedy}"
        )
