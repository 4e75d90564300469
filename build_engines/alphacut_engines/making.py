"""The stages between the ONNX file and the installation, each kept when it is finished."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from alphacut_core import codec, geometry, probe
from alphacut_core.errors import EngineBuildError
from alphacut_core.geometry import Pixels
from alphacut_engines import (
    evidence,
    fingerprint,
    graphs,
    kept_choice,
    ladder,
    manifest,
    processor,
    speed,
    target,
    tier_loss,
)
from alphacut_engines.gate import Engine
from alphacut_engines.graphs import Graph
from alphacut_engines.ladder import Choice
from alphacut_engines.made import Made
from alphacut_engines.order import Order
from alphacut_engines.reference import Reference
from alphacut_engines.stage_cache import Entry, StageCache
from alphacut_engines.stages import Stages
from alphacut_engines.target import Network
from alphacut_engines.tier_loss import TierLoss

_TIME_FILE = "time.json"


class Making:
    """One order on its way."""

    def __init__(self, order: Order, source_sha256: str, key: str, stages: Stages) -> None:
        """Prepare, and check that this machine can build for the target at all.

        Args:
            order: What to build.
            source_sha256: Checksum of the network's files.
            key: Hash of all that the outcome depends on.
            stages: Told what happens.
        """
        self._order = order
        self._source_sha256 = source_sha256
        self._key = key
        self._stages = stages
        self._target = target.find(order.target, order.level)
        self._target.prepare()
        self._built_for = self._target.built_for()
        self._cache = StageCache(fingerprint.of_stages(), refresh=order.force)

    def run(self) -> Made:
        """Run the stages and return what is to be installed."""
        optimised, fused = graphs.make(self._order, self._source_sha256, self._cache, self._stages)
        choice, graph_sha256 = self._gate(optimised, fused)
        loss = self._tier(choice, graph_sha256)
        engine = self._engine(choice, graph_sha256)
        probed, time_ms = self._probe(choice, fused, graph_sha256)
        self._cache.prune()
        return Made(
            order=self._order,
            target=self._target,
            built_for=self._built_for,
            choice=choice,
            loss=loss,
            engine=engine,
            probe=probed,
            time_ms=time_ms,
            key=self._key,
            source_sha256=self._source_sha256,
        )

    def _gate(self, optimised: Graph, fused: Graph) -> tuple[Choice, str]:
        order = self._order
        known = evidence.of(order.recipe, order.evidence(self._target.evidence), self._source_sha256)
        inputs = {
            "optimised": optimised.sha256,
            "fused": fused.sha256,
            "recipe": graphs.computed(order.recipe),
            "name": order.recipe.name,  # the report says it
            **self._machine(),
            "precision": order.precision,
            "known": known.facts(),
            "kinds": ladder.kinds(order, self._target),
            "source": self._source_sha256,
            "gate": fingerprint.of_pictures(order.gate),
            "calibration": fingerprint.of_pictures(order.calibration),
        }
        with self._stages.run("gate") as said:
            network = Network(order.recipe, optimised.model, fused.model)

            def write(folder: Path) -> None:
                chosen = ladder.climb(order, network, self._source_sha256, said, self._cache)
                kept_choice.write(chosen, folder)
                if order.target == "tensorrt":
                    # TensorRT makes no two plans alike: the one that was judged is kept before the judgement is.
                    self._keep_engine(chosen, fingerprint.of_file(folder / kept_choice.NETWORK_FILE))

            entry = self._cache.through("gate", inputs, write)
            choice = kept_choice.read(entry.folder)
            said(f"{choice.precision} is taken{entry.note}")
        return choice, fingerprint.of_file(entry.folder / kept_choice.NETWORK_FILE)

    def _machine(self) -> dict[str, Any]:
        """Return what the outcome depends on besides the network: the runtime's processor or GPU among it."""
        lacking = [processor.lacking(precision) for precision in ("bf16", "int8")]
        built_for = dict(self._built_for)
        return {
            "target": self._order.target,
            "level": self._order.level,
            "built_for": built_for,
            "machine": [processor.name(), lacking],
        }

    def _tier(self, choice: Choice, graph_sha256: str) -> TierLoss | None:
        """Return what the tier loses against the full one, or None for that one itself."""
        order = self._order
        if order.tier == "full":
            return None
        inputs = {
            "graph": graph_sha256,
            "source": self._source_sha256,
            "recipe": order.recipe.facts(),
            "own": order.recipe.weights is None,
            "native_size": order.native_size,
            **self._machine(),
            "gate": fingerprint.of_pictures(order.gate),
        }
        with self._stages.run("tier") as said:

            def write(folder: Path) -> None:
                def load() -> Engine:
                    return self._target.run(choice.model, choice.precision)

                loss = tier_loss.judge(order, load, choice.precision, self._source_sha256)
                (folder / manifest.LOSS_FILE).write_text(loss.to_json())

            entry = self._cache.through("tier", inputs, write)
            loss = tier_loss.read(entry.folder / manifest.LOSS_FILE)
            found = loss.agreement
            said(
                f"{order.tier}: mean |Δ| {found.mean_difference:.2f} of 255, mean IoU {found.mean_iou:.4f} against the "
                f"full tier, on {found.pictures} pictures: within what the tier declares{entry.note}"
            )
        return loss

    def _engine(self, choice: Choice, graph_sha256: str) -> Path:
        """Return the folder of the engine's file and those beside it."""
        with self._stages.run("engine") as said:
            entry = self._keep_engine(choice, graph_sha256)
            size = (entry.folder / self._target.file).stat().st_size
            said(f"{self._target.file}, {size / 1e6:.1f} MB{entry.note}")
        return entry.folder

    def _keep_engine(self, choice: Choice, graph_sha256: str) -> Entry:
        def write(folder: Path) -> None:
            engine = self._target.save(choice.model, self._order.recipe)
            (folder / self._target.file).write_bytes(engine)
            for name, content in self._target.beside(engine).items():
                (folder / name).write_bytes(content)

        return self._cache.through("engine", {"graph": graph_sha256, **self._machine()}, write)

    def _probe(self, choice: Choice, fused: Graph, graph_sha256: str) -> tuple[Path, float | None]:
        """Return the folder of the reference's mask of the probe picture, and how long the engine takes for it."""

        def write(folder: Path) -> None:
            square = geometry.to_square(codec.decode(probe.picture()), self._order.recipe.size)
            masks, _ = Reference(fused.model, "probe").masks(square[None])
            self._check_contrast(masks[0])
            probe.store_answer(np.asarray(masks[0]), folder)
            here = self._target.runs_here
            timed = speed.time_ms(self._target.run(choice.model, choice.precision), square) if here else None
            (folder / _TIME_FILE).write_text(json.dumps(timed))

        with self._stages.run("probe") as said:
            inputs = {"fused": fused.sha256, "graph": graph_sha256, **self._machine()}
            entry = self._cache.through("probe", inputs, write)
            time_ms: float | None = json.loads((entry.folder / _TIME_FILE).read_text())
            mean = probe.load_answer(entry.folder).mean()
            timed = f"; {time_ms} ms" if time_ms is not None else ""
            said(f"mask of the probe picture, mean {mean:.0f} of 255{timed}{entry.note}")
        return entry.folder, time_ms

    def _check_contrast(self, mask: Pixels) -> None:
        """Refuse a mask of one value where every map is stretched to full contrast: the map has one value too."""
        recipe = self._order.recipe
        if recipe.stretch == "min_max" and recipe.activation != "argmax" and mask.min() == mask.max():
            raise EngineBuildError(
                f"stage probe: {recipe.name} gives the probe picture a mask of nothing but {mask.min()}; mend mean, "
                "std, scaling and activation of its recipe, or train it again"
            )
