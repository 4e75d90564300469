"""Stages source, optimise and fuse: from the ONNX file to the graphs that precisions are tried on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from alphacut_engines import fingerprint, fuse, optimise, recentre, source
from alphacut_engines.order import Order
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.stage_cache import Entry, StageCache
from alphacut_engines.stages import Stages

_FILE = "network.onnx"
_NOT_COMPUTED = ("name", "engine", "licence", "commercial")


@dataclass(frozen=True, slots=True)
class Graph:
    """A network and the checksum of its file, which the next stage depends on.

    Attributes:
        model: The network.
        sha256: Its file's.
        note: Words to add to what the stage says.
    """

    model: onnx.ModelProto
    sha256: str
    note: str

    @classmethod
    def of(cls, entry: Entry) -> Graph:
        """Read what a stage kept."""
        path = entry.folder / _FILE
        return cls(onnx.load(path), fingerprint.of_file(path), entry.note)


def computed(recipe: ModelRecipe) -> dict[str, Any]:
    """Return what of a recipe decides what a graph computes."""
    return {name: value for name, value in recipe.facts().items() if name not in _NOT_COMPUTED}


def make(order: Order, source_sha256: str, cache: StageCache, stages: Stages) -> tuple[Graph, Graph]:
    """Return the network alone, and the same with the arithmetic of pictures and masks around it.

    Args:
        order: Whose network, at which size.
        source_sha256: Checksum of the network's files.
        cache: What finished stages made.
        stages: Told what happens.

    Raises:
        EngineSourceError: The network given cannot be used.
        EngineBuildError: A stage failed.
    """
    native = dataclasses.replace(order.recipe, size=order.native_size)
    with stages.run("source") as said:
        plain = source.load(order.source, native)
        said(f"{order.source.name}, {len(plain.graph.node)} nodes, {len(plain.graph.output)} outputs")
    recipe = computed(order.recipe)
    with stages.run("optimise") as said:
        inputs = {"source": source_sha256, "recipe": recipe, "native_size": order.native_size}
        optimised = _kept(cache, "optimise", inputs, lambda: optimise.optimise(plain, order.recipe, order.native_size))
        batches = ", ".join(map(str, optimise.PROVED_BATCHES))
        moved = recentre.count(optimised.model)
        recentred = f"; {moved} layers flow without channels' constants" if moved else ""
        said(f"{len(optimised.model.graph.node)} nodes, proved at batch {batches}{recentred}{optimised.note}")
    with stages.run("fuse") as said:
        inputs = {"network": optimised.sha256, "recipe": recipe}
        fused = _kept(cache, "fuse", inputs, lambda: fuse.fuse(optimised.model, order.recipe))
        said(f"{len(fused.model.graph.node)} nodes, uint8 picture in, uint8 mask out{fused.note}")
    return optimised, fused


def _kept(cache: StageCache, stage: str, inputs: Mapping[str, Any], make_model: Callable[[], onnx.ModelProto]) -> Graph:
    def write(folder: Path) -> None:
        (folder / _FILE).write_bytes(make_model().SerializeToString())

    return Graph.of(cache.through(stage, inputs, write))
