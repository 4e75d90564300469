"""What the stages made, on its way into a version directory."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from alphacut_core import probe
from alphacut_core.contract import CONTRACT_VERSION
from alphacut_engines import accuracy, fingerprint, kept_choice, manifest
from alphacut_engines.ladder import Choice
from alphacut_engines.manifest import Manifest
from alphacut_engines.order import Order
from alphacut_engines.stage_cache import SUMS_FILE
from alphacut_engines.target import Target
from alphacut_engines.tier_loss import TierLoss


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """An engine and all that belongs to it.

    Attributes:
        order: What was to be built.
        target: For which kind of machine.
        built_for: What it needs of the machine that loads it.
        choice: The graph, and why this one.
        loss: What the tier loses, or None for the full one.
        engine: Folder of the engine's file and those beside it.
        probe: Folder of the known answer.
        time_ms: Median time of one picture alone, or None where it cannot run here.
        key: Hash of all that the outcome depends on.
        source_sha256: Checksum of the network's files.
    """

    order: Order
    target: Target
    built_for: Mapping[str, str]
    choice: Choice
    loss: TierLoss | None
    engine: Path
    probe: Path
    time_ms: float | None
    key: str
    source_sha256: str

    def write(self, folder: Path) -> None:
        """Write everything into an empty folder, the manifest last."""
        for path in self.engine.iterdir():
            if path.name != SUMS_FILE:
                shutil.copyfile(path, folder / path.name)
        shutil.copyfile(self.probe / probe.ANSWER_FILE, folder / probe.ANSWER_FILE)
        kept_choice.write_findings(self.choice, folder)
        if self.loss is not None:
            (folder / manifest.LOSS_FILE).write_text(self.loss.to_json())
        (folder / manifest.MANIFEST_FILE).write_text(self._manifest(folder).to_json())

    def _manifest(self, folder: Path) -> Manifest:
        artefacts = {path.name: fingerprint.of_file(path) for path in sorted(folder.iterdir())}
        machine = self.built_for.get("gpu") or self.built_for.get("processor")
        return Manifest(
            model=self.order.recipe.name,
            slot=self.order.recipe.engine,
            tier=self.order.tier,
            native_size=self.order.native_size,
            recipe=self.order.recipe.facts(),
            target=self.order.target,
            precision=self.choice.precision,
            compile_options=self.choice.compile_options,
            size=self.order.recipe.size,
            contract_version=CONTRACT_VERSION,
            source_sha256=self.source_sha256,
            engine_sha256=artefacts[self.target.file],
            accuracy=self._accuracy(),
            time_ms=self.time_ms,
            machine=None if self.time_ms is None else machine,
            built_for=self.built_for,
            artefacts=artefacts,
            tools=fingerprint.tools(),
            created_by=f"alphacut {metadata.version('alphacut')}",
            key=self.key,
        )

    def _accuracy(self) -> Mapping[str, Any] | None:
        if self.loss is not None:
            return accuracy.of_tier(self.loss)
        evidence = self.order.evidence(self.target.evidence)
        choice = self.choice
        return accuracy.of_full(self.order, evidence, choice.precision, choice.report, self.source_sha256)
