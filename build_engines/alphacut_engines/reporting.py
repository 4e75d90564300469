"""``alphacut build --report``: the table that every tutorial quotes, measured on the network that is installed."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable
from pathlib import Path

from alphacut_core import installed
from alphacut_core.errors import EngineBuildError
from alphacut_engines import (
    calibration,
    evidence,
    fingerprint,
    fuse,
    gate,
    optimise,
    photographs,
    processor,
    source,
    survey,
    variant,
)
from alphacut_engines.calibration import Calibration
from alphacut_engines.order import Order
from alphacut_engines.reference import Reference
from alphacut_engines.survey import Survey
from alphacut_engines.target import TARGETS, Network

ROUNDS = 30
_SERVING_RUNTIME = "OpenVINO"


def measure(order: Order, tell: Callable[[str], None], rounds: int = ROUNDS) -> Survey:
    """Measure every variant of an ordered network on this CPU.

    Args:
        order: The network, and the photographs to compare masks on; without any, the sample pictures.
        tell: Takes a line about each variant.
        rounds: How often to time each.

    Raises:
        EngineBuildError: There are no pictures.
    """
    sha256 = fingerprint.of_network(order.source)
    plain = source.load(order.source, dataclasses.replace(order.recipe, size=order.native_size))
    optimised = optimise.optimise(plain, order.recipe, order.native_size)
    network = Network(order.recipe, optimised, fuse.fuse(optimised, order.recipe))
    pictures = (
        photographs.samples(order.recipe.size)
        if order.gate is None
        else photographs.of_folder(order.gate, order.recipe.size, gate.MIN_PHOTOGRAPHS)
    )
    if not pictures.paths:
        raise EngineBuildError("stage report: there are no sample pictures here; pass --gate DIR with photographs")
    variants = list(variant.of_network(plain, network, _calibration(order, network, sha256), pictures))
    wanted = gate.answers(Reference(network.fused, "report"), pictures)
    found = installed.find(order.repository, order.engine)
    serving = (
        (found.manifest["precision"], _SERVING_RUNTIME)
        if found is not None and found.manifest["source_sha256"] == sha256
        else None
    )
    return Survey(
        model=order.recipe.name,
        source_sha256=sha256,
        size=order.recipe.size,
        photographs=pictures.kind,
        pictures=len(wanted),
        rounds=rounds,
        machine=processor.name(),
        threads=len(os.sched_getaffinity(0)),
        rows=tuple(survey.rows(variants, pictures, wanted, rounds=rounds, serving=serving, tell=tell)),
    )


def write(made: Survey, folder: Path) -> list[Path]:
    """Write a survey as JSON, Markdown and HTML into ``folder`` and return the files.

    Raises:
        EngineBuildError: No space, no permission.
    """
    # A recipe's name may be anything, as acme/matting is.
    name = re.sub(r"[^\w.-]+", "-", f"{made.model}-{made.size}")
    contents = {".json": made.to_json(), ".md": made.to_markdown(), ".html": made.to_html()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, content in contents.items():
            (folder / f"{name}{suffix}").write_text(content)
    except OSError as error:
        raise EngineBuildError(
            f"stage report: cannot write {error.filename or folder}: {error.strerror}; free space or mend permissions"
        ) from error
    return [folder / f"{name}{suffix}" for suffix in contents]


def _calibration(order: Order, network: Network, source_sha256: str) -> Calibration | None:
    if order.calibration is None:
        return evidence.of(order.recipe, TARGETS["cpu"].evidence, source_sha256).calibration
    pictures = photographs.of_folder(order.calibration, order.recipe.size, calibration.MIN_PICTURES)
    return calibration.calibrate(network.fused, pictures, source_sha256, ("uint8",))  # it measures this CPU
