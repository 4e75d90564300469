"""The stages in order, skipped as a whole when nothing they depend on has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alphacut_core import installed
from alphacut_core.errors import EngineBuildError
from alphacut_core.installed import Installed
from alphacut_engines import fingerprint, install, photographs
from alphacut_engines.order import Order
from alphacut_engines.stages import Stages, Step


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a build came to.

    Attributes:
        installed: What serves now.
        note: Why nothing was done, or None where an engine was built.
    """

    installed: Installed
    note: str | None


def build(order: Order, report: Callable[[Step], None], begin: Callable[[str], None] = lambda stage: None) -> Outcome:
    """Take a network from its ONNX file into the model repository.

    Args:
        order: What to build.
        report: Called with what each stage did, at once.
        begin: Called with the name of each stage as it begins.

    Raises:
        EngineSourceError: The network given cannot be used.
        EngineBuildError: A stage failed, or photographs to judge by are among those that INT8 is fitted to; the
            repository is as it was.
        EngineParityError: The masks are too far from the reference's.
    """
    source_sha256 = fingerprint.of_network(order.source)
    key = fingerprint.of_build(order, source_sha256)
    if not order.force and (done := _done(order, key)):
        return done
    if order.gate is not None and order.calibration is not None:
        photographs.check_apart(order.gate, order.calibration)
    # The tools behind these stages take a second to import, which a build that is done already need not pay.
    from alphacut_engines.making import Making  # noqa: PLC0415

    stages = Stages(report, begin, order.source)
    made = Making(order, source_sha256, key, stages).run()
    with stages.run("install") as said:
        with install.version(order.repository, order.engine, order.target) as new:
            made.write(new.folder)
        note = install.size_note(new.before.pipeline.size, order.pipeline.size) if new.before else ""
        said(f"version {new.number} in {order.repository / order.engine}{note}")
    return Outcome(_installed(order), None)


def _done(order: Order, key: str) -> Outcome | None:
    """Return the outcome if there is nothing to build; what stands around an engine comes from this release."""
    where = (order.repository, order.engine, order.target, key)
    if found := install.again(*where):
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
