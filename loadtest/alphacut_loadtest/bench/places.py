"""Where the bench finds network, and engine, as options that its commands share."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from alphacut_core import bundled, installed
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import EngineSourceError
from alphacut_loadtest.bench.result import Engine

FOLDER = click.Path(path_type=Path, file_okay=False)

WEIGHTS_OPTION = click.option(
    "--weights",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=bundled.NETWORK,
    help="The plain network that the served engine was built from, for rembg; default: the bundled one.",
)
REPOSITORY_OPTION = click.option(
    "--repository",
    type=FOLDER,
    envvar=bundled.REPOSITORY_VARIABLE,
    default=bundled.MODEL_REPOSITORY,
    help=f"Default: the checkout's, or ${bundled.REPOSITORY_VARIABLE}.",
)


def engine(repository: Path, weights: Path) -> Engine:
    """Read what is served, and check that it is made of the weights that rembg gets.

    Raises:
        EngineSourceError: Nothing is built, or of other weights.
    """
    served = installed.find(repository, DEFAULT_PIPELINE.engine)
    if served is None:
        raise EngineSourceError(
            f"there is no built engine of {DEFAULT_PIPELINE.engine} in {repository}; run: alphacut build"
        )
    facts = served.manifest
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    if sha256 != facts["source_sha256"]:
        raise EngineSourceError(
            f"{served.folder} was built from a network with SHA-256 {facts['source_sha256'][:12]}, {weights} has "
            f"{sha256[:12]}; name the file that it was built from with --weights, or build it from this one"
        )
    return Engine(facts["model"], facts["recipe"]["architecture"], facts["precision"], sha256)
