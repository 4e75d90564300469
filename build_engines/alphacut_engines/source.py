"""Stage source: load the ONNX file and refuse, in words, what cannot become an engine."""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from alphacut_core.errors import EngineSourceError
from alphacut_engines import external_data, widen
from alphacut_engines.recipe import ModelRecipe

MIN_OPSET = 11
MAX_OPSET = 22
MAX_BYTES = 2**31 - 1
"""Of a network with its weights: a message of protobuf is no longer."""

_STANDARD_DOMAINS = ("", "ai.onnx")


def load(path: Path, recipe: ModelRecipe) -> onnx.ModelProto:
    """Load the network that ``recipe`` describes; what is FP16 between its ends becomes FP32.

    Raises:
        EngineSourceError: Not an ONNX file, cut off, too large, weights in a missing second file, an opset or
            operators that engines do not read, or inputs and outputs that the recipe does not describe.
    """
    try:
        _check_size(path)
        model = onnx.load(path, load_external_data=False)
        _load_external_data(path, model)
    except (DecodeError, UnicodeDecodeError) as error:
        raise _refusal(path, "that is no ONNX file, or is cut off", "download or export it again") from error
    except FileNotFoundError as error:
        raise _refusal(
            path, f"without the second one that it needs ({error})", "put the external data beside it"
        ) from error
    except OSError as error:
        raise _refusal(path, f"that cannot be read ({error.strerror})", "give the path of an ONNX file") from error
    try:
        _check_graph(path, model)
        _check_input(path, model, recipe)
        _check_output(path, model, recipe)
    except ValueError as error:  # a name that is no text, a type that there is none of
        raise _refusal(path, f"that is damaged ({error})", "download or export it again") from error
    widen.network(model)  # which precision is installed is the gate's choice, and the reference is FP32
    return model


def _check_size(path: Path) -> None:
    files = [path, *(file for file in external_data.files(path) if file.is_file())]
    size_bytes = sum(file.stat().st_size for file in files)
    if size_bytes > MAX_BYTES:
        raise _refusal(
            path,
            f"of {size_bytes / 2**30:.1f} GiB, weights included",
            f"engines are built of up to {MAX_BYTES / 2**30:.0f} GiB, which is what one ONNX file can hold",
        )


def _load_external_data(path: Path, model: onnx.ModelProto) -> None:
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
    except (onnx.checker.ValidationError, ValueError) as error:
        raise _refusal(
            path, f"with unreadable external data ({error})", "put the external data beside it, whole"
        ) from error


def _check_graph(path: Path, model: onnx.ModelProto) -> None:
    if not model.graph.node:
        raise _refusal(path, "without a graph", "download or export it again")
    foreign = sorted({node.domain for node in model.graph.node if node.domain not in _STANDARD_DOMAINS})
    if foreign:
        raise _refusal(path, f"with operators of {', '.join(foreign)}", "export it with standard ONNX operators")
    opset = _settle_opset(path, model)
    if not MIN_OPSET <= opset <= MAX_OPSET:
        raise _refusal(path, f"of opset {opset}", f"export it with an opset from {MIN_OPSET} to {MAX_OPSET}, best 17")
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise _refusal(path, f"that breaks the ONNX standard ({error})", "export it again") from error


def _settle_opset(path: Path, model: onnx.ModelProto) -> int:
    """Leave one statement of the opset, under one of the two names of the standard's domain, and return it."""
    stated = sorted({entry.version for entry in model.opset_import if entry.domain in _STANDARD_DOMAINS})
    if len(stated) > 1:
        raise _refusal(path, f"of opsets {' and '.join(map(str, stated))} at once", "export it again, best with 17")
    del model.opset_import[:]  # no node is of another domain
    model.opset_import.extend(onnx.helper.make_opsetid("", version) for version in stated)
    return stated[0] if stated else 0


def _check_input(path: Path, model: onnx.ModelProto, recipe: ModelRecipe) -> None:
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    expected = f"one input, float32 [batch, 3, {recipe.size}, {recipe.size}]"
    remedy = f"give a network with {expected}, or the recipe that describes this one"
    if len(inputs) != 1:
        raise _refusal(path, f"with {len(inputs)} inputs ({', '.join(value.name for value in inputs)})", remedy)
    tensor = inputs[0].type.tensor_type
    got = _dims(inputs[0])
    fits = len(got) == 4 and all(
        isinstance(dim, str) or dim == want for dim, want in zip(got[1:], (3, recipe.size, recipe.size), strict=True)
    )
    if tensor.elem_type != onnx.TensorProto.FLOAT or not fits:
        element = onnx.TensorProto.DataType.Name(tensor.elem_type)
        raise _refusal(path, f"with input {inputs[0].name!r} {element} {got}", remedy)


def _check_output(path: Path, model: onnx.ModelProto, recipe: ModelRecipe) -> None:
    outputs = model.graph.output
    if len(outputs) <= recipe.output:
        raise _refusal(
            path,
            f"with {len(outputs)} outputs",
            f"{recipe.name} takes the one at position {recipe.output}; give the recipe that describes this network",
        )
    wanted = outputs[recipe.output]
    got = _dims(wanted)
    if wanted.type.tensor_type.elem_type != onnx.TensorProto.FLOAT or (
        got and (len(got) != 4 or (isinstance(got[1], int) and got[1] != recipe.channels))
    ):
        element = onnx.TensorProto.DataType.Name(wanted.type.tensor_type.elem_type)
        raise _refusal(
            path,
            f"with output {wanted.name!r} {element} {got}",
            f"{recipe.name} needs float32 [batch, {recipe.channels}, {recipe.size}, {recipe.size}] there",
        )


def _dims(value: onnx.ValueInfoProto) -> list[int | str]:
    """Return the declared shape; a free dimension is its name or "?"."""
    shape = value.type.tensor_type.shape
    return [dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?" for dim in shape.dim]


def _refusal(path: Path, what: str, remedy: str) -> EngineSourceError:
    return EngineSourceError(f"stage source: {path} is a file {what}; {remedy}")
