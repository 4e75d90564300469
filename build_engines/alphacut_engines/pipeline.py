"""The stages in order, skipped as a whole when nothing they depend on has changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alphacut_core import codec, geometry, probe
from alphacut_core.contract import CONTRACT_VERSION
from alphacut_core.geometry import Pixels
from alphacut_engines import fingerprint, install
from alphacut_engines.manifest import CALIBRATION_FILE, MANIFEST_FILE, PAGE_FILE, REPORT_FILE, Manifest
from alphacut_engines.order import Order

if TYPE_CHECKING:
    from alphacut_engines.ladder import Choice
    from alphacut_engines.reference import Reference


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a stage has to say, and the time since the stage began."""

    stage: str
    outcome: str
    time_s: float


def build(order: Order, report: Callable[[Step], None]) -> bool:
    """Take a network from its ONNX file into the model repository.

    Args:
        order: What to build.
        report: Called with what each stage did, at once.

    Returns:
        False if the same build is installed already and nothing was done.

    Raises:
        EngineSourceError: The network given cannot be used.
        EngineBuildError: A stage failed; the repository is as it was.
    """
    source_sha256 = fingerprint.of_file(order.source)
    key = fingerprint.of_build(order, source_sha256)
    if not order.force and install.is_installed(order.folder, key):
        return False
    # The tools behind these stages take a second to import, which a build that is done already need not pay.
    from alphacut_engines import fuse, ladder, optimise, reference, source  # noqa: PLC0415
    from alphacut_engines.target import TARGETS, Network  # noqa: PLC0415

    stages = _Stages(report)
    with stages.run("source") as said:
        plain = source.load(order.source, order.recipe)
        said(f"{order.source.name}, {len(plain.graph.node)} nodes, {len(plain.graph.output)} outputs")
    with stages.run("optimise") as said:
        optimised = optimise.optimise(plain, order.recipe)
        said(f"{len(optimised.graph.node)} nodes, proved at batch {', '.join(map(str, optimise.PROVED_BATCHES))}")
    with stages.run("fuse") as said:
        fused = fuse.fuse(optimised, order.recipe)
        said(f"{len(fused.graph.node)} nodes, uint8 picture in, uint8 mask out")
    with stages.run("gate") as said:
        choice = ladder.climb(order, Network(order.recipe, optimised, fused), source_sha256, said)
        said(f"{choice.precision} is taken")
    with stages.run("engine") as said:
        target = TARGETS[order.target]
        engine = target.save(choice.model, order.recipe)
        said(f"{target.file}, {len(engine) / 1e6:.1f} MB")
    with stages.run("probe") as said:
        answer = _probe_answer(reference.Reference(fused, "probe"), order.recipe.size)
        said(f"mask of the probe picture, mean {answer.mean():.0f} of 255")
    with stages.run("install") as said:
        with install.staging(order.folder) as folder:
            (folder / target.file).write_bytes(engine)
            probe.store_answer(answer, folder)
            _write_findings(choice, folder)
            made = _manifest(order, choice, key, source_sha256, folder)
            (folder / MANIFEST_FILE).write_text(made.to_json())
        said(str(order.folder))
    return True


class _Stages:
    """Times the stages and tells the caller what they say."""

    def __init__(self, report: Callable[[Step], None]) -> None:
        self._report = report

    @contextmanager
    def run(self, name: str) -> Iterator[Callable[[str], None]]:
        start = time.perf_counter()
        yield lambda outcome: self._report(Step(name, outcome, time.perf_counter() - start))


def _probe_answer(network: Reference, size: int) -> Pixels:
    """Return the reference's mask of the probe picture: uint8 (size, size)."""
    square = geometry.to_square(codec.decode(probe.picture()), size)
    masks, _ = network.masks(square[None])
    return np.asarray(masks[0])


def _write_findings(choice: Choice, folder: Path) -> None:
    """Write what the gate and the calibration found, where there was something to find."""
    for name, part in ((REPORT_FILE, choice.report), (CALIBRATION_FILE, choice.calibration)):
        if part is not None:
            (folder / name).write_text(part.to_json())
    if choice.page is not None:
        (folder / PAGE_FILE).write_text(choice.page)


def _manifest(order: Order, choice: Choice, key: str, source_sha256: str, folder: Path) -> Manifest:
    return Manifest(
        model=order.recipe.name,
        recipe=order.recipe.facts(),
        target=order.target,
        precision=choice.precision,
        compile_options=choice.compile_options,
        size=order.recipe.size,
        contract_version=CONTRACT_VERSION,
        source_sha256=source_sha256,
        artefacts={path.name: fingerprint.of_file(path) for path in sorted(folder.iterdir())},
        tools=fingerprint.tools(),
        created_by=f"alphacut {metadata.version('alphacut')}",
        key=key,
    )
