"""The stages in order, skipped as a whole when nothing they depend on has changed."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alphacut_core import codec, geometry, installed, probe
from alphacut_core.contract import CONTRACT_VERSION
from alphacut_core.errors import EngineBuildError, EngineError
from alphacut_core.geometry import Pixels
from alphacut_core.installed import Installed
from alphacut_engines import fingerprint, install, layout, manifest
from alphacut_engines.manifest import Manifest
from alphacut_engines.order import Order

if TYPE_CHECKING:
    from alphacut_engines.ladder import Choice
    from alphacut_engines.target import Network, Target
    from alphacut_engines.tier_loss import TierLoss


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a stage has to say, and the time since the stage began."""

    stage: str
    outcome: str
    time_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a build came to.

    Attributes:
        installed: What serves now.
        note: Why nothing was done, or None where an engine was built.
    """

    installed: Installed
    note: str | None


def build(order: Order, report: Callable[[Step], None]) -> Outcome:
    """Take a network from its ONNX file into the model repository.

    Args:
        order: What to build.
        report: Called with what each stage did, at once.

    Raises:
        EngineSourceError: The network given cannot be used.
        EngineBuildError: A stage failed; the repository is as it was.
        EngineParityError: The masks are too far from the reference's.
    """
    source_sha256 = fingerprint.of_file(order.source)
    key = fingerprint.of_build(order, source_sha256)
    if not order.force and (done := _done(order, key)):
        return done
    # The tools behind these stages take a second to import, which a build that is done already need not pay.
    from alphacut_engines import ladder, target  # noqa: PLC0415

    stages = _Stages(report, order.source)
    kind = target.find(order.target, order.level)
    kind.prepare()
    network = _network(order, stages)
    with stages.run("gate") as said:
        choice = ladder.climb(order, network, source_sha256, said)
        said(f"{choice.precision} is taken")
    loss = _loss(order, kind, choice, source_sha256, stages)
    with stages.run("engine") as said:
        engine = kind.save(choice.model, order.recipe)
        said(f"{kind.file}, {len(engine) / 1e6:.1f} MB")
    with stages.run("probe") as said:
        answer, time_ms = _probe(order, kind, network, choice)
        said(f"mask of the probe picture, mean {answer.mean():.0f} of 255" + (f"; {time_ms} ms" if time_ms else ""))
    with stages.run("install") as said:
        with install.version(order.repository, order.engine, order.target) as new:
            layout.lay_out(order)
            (new.folder / kind.file).write_bytes(engine)
            for name, content in kind.beside(engine).items():
                (new.folder / name).write_bytes(content)
            probe.store_answer(answer, new.folder)
            _write_findings(choice, loss, new.folder)
            written = _manifest(
                order,
                kind=kind,
                choice=choice,
                loss=loss,
                time_ms=time_ms,
                key=key,
                source_sha256=source_sha256,
                folder=new.folder,
            )
            (new.folder / manifest.MANIFEST_FILE).write_text(written.to_json())
        said(f"version {new.number} in {order.repository / order.engine}")
    return Outcome(_installed(order), None)


class _Stages:
    """Times the stages, tells the caller what they say, and names stage and file in what they raise."""

    def __init__(self, report: Callable[[Step], None], source: Path) -> None:
        self._report = report
        self._source = source

    @contextmanager
    def run(self, name: str) -> Iterator[Callable[[str], None]]:
        start = time.perf_counter()
        try:
            yield lambda outcome: self._report(Step(name, outcome, time.perf_counter() - start))
        except EngineError as error:
            text = str(error)
            stage = "" if text.startswith("stage ") else f"stage {name}: "
            file = "" if str(self._source) in text else f"; the network is {self._source}"
            raise type(error)(f"{stage}{text}{file}") from error


def _done(order: Order, key: str) -> Outcome | None:
    """Return the outcome if there is nothing to build."""
    where = (order.repository, order.engine, order.target, key)
    if found := install.same(*where):
        return Outcome(found, f"version {found.version} is this build; nothing to do")
    if taken_back := install.taken_back(*where):
        note = f"version {taken_back} is this build and was rolled back; --force installs it again"
        return Outcome(_installed(order), note)
    return None


def _installed(order: Order) -> Installed:
    found = installed.find(order.repository, order.engine, order.target)
    if found is None:
        raise EngineBuildError(f"stage install: {order.engine} vanished from {order.repository} as it was installed")
    return found


def _network(order: Order, stages: _Stages) -> Network:
    from alphacut_engines import fuse, optimise, source  # noqa: PLC0415
    from alphacut_engines.target import Network  # noqa: PLC0415

    native = dataclasses.replace(order.recipe, size=order.native_size)
    with stages.run("source") as said:
        plain = source.load(order.source, native)
        said(f"{order.source.name}, {len(plain.graph.node)} nodes, {len(plain.graph.output)} outputs")
    with stages.run("optimise") as said:
        optimised = optimise.optimise(plain, order.recipe, order.native_size)
        said(f"{len(optimised.graph.node)} nodes, proved at batch {', '.join(map(str, optimise.PROVED_BATCHES))}")
    with stages.run("fuse") as said:
        fused = fuse.fuse(optimised, order.recipe)
        said(f"{len(fused.graph.node)} nodes, uint8 picture in, uint8 mask out")
    return Network(order.recipe, optimised, fused)


def _loss(order: Order, kind: Target, choice: Choice, source_sha256: str, stages: _Stages) -> TierLoss | None:
    """Return what the tier loses against the full one, or None for that one itself."""
    if order.tier == "full":
        return None
    from alphacut_engines import tier_loss  # noqa: PLC0415

    with stages.run("tier") as said:
        loss = tier_loss.judge(order, kind.run(choice.model, choice.precision), choice.precision, source_sha256)
        found = loss.agreement
        said(
            f"{order.tier}: mean |Δ| {found.mean_difference:.2f} of 255, mean IoU {found.mean_iou:.4f} against the "
            f"full tier, on {found.pictures} pictures: within what the tier declares"
        )
    return loss


def _probe(order: Order, kind: Target, network: Network, choice: Choice) -> tuple[Pixels, float | None]:
    """Return the reference's mask of the probe picture, uint8 (size, size), and how long the engine takes for it."""
    from alphacut_engines import speed  # noqa: PLC0415
    from alphacut_engines.reference import Reference  # noqa: PLC0415

    square = geometry.to_square(codec.decode(probe.picture()), order.recipe.size)
    masks, _ = Reference(network.fused, "probe").masks(square[None])
    timed = speed.time_ms(kind.run(choice.model, choice.precision), square) if kind.runs_here else None
    return np.asarray(masks[0]), timed


def _write_findings(choice: Choice, loss: TierLoss | None, folder: Path) -> None:
    """Write what gate and calibration found, where there was something to find."""
    for name, part in (
        (manifest.REPORT_FILE, choice.report),
        (manifest.CALIBRATION_FILE, choice.calibration),
        (manifest.LOSS_FILE, loss),
    ):
        if part is not None:
            (folder / name).write_text(part.to_json())
    if choice.page is not None:
        (folder / manifest.PAGE_FILE).write_text(choice.page)


def _manifest(
    order: Order,
    *,
    kind: Target,
    choice: Choice,
    loss: TierLoss | None,
    time_ms: float | None,
    key: str,
    source_sha256: str,
    folder: Path,
) -> Manifest:
    artefacts = {path.name: fingerprint.of_file(path) for path in sorted(folder.iterdir())}
    built_for = kind.built_for()
    return Manifest(
        model=order.recipe.name,
        slot=order.recipe.engine,
        tier=order.tier,
        native_size=order.native_size,
        recipe=order.recipe.facts(),
        target=order.target,
        precision=choice.precision,
        compile_options=choice.compile_options,
        size=order.recipe.size,
        contract_version=CONTRACT_VERSION,
        source_sha256=source_sha256,
        engine_sha256=artefacts[kind.file],
        accuracy=_accuracy(order, kind, choice, loss, source_sha256),
        time_ms=time_ms,
        machine=None if time_ms is None else built_for.get("gpu") or built_for.get("processor"),
        built_for=built_for,
        artefacts=artefacts,
        tools=fingerprint.tools(),
        created_by=f"alphacut {metadata.version('alphacut')}",
        key=key,
    )


def _accuracy(
    order: Order, kind: Target, choice: Choice, loss: TierLoss | None, source_sha256: str
) -> Mapping[str, Any] | None:
    from alphacut_engines import accuracy  # noqa: PLC0415

    if loss is not None:
        return accuracy.of_tier(loss)
    return accuracy.of_full(order, order.evidence(kind.evidence), choice.precision, choice.report, source_sha256)
