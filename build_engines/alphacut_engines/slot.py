"""What callers call an installed network, and which of its tiers are meant."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from alphacut_core import installed, tiers
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import EngineSourceError
from alphacut_core.tiers import MODES, Mode
from alphacut_engines.recipe import MIN_SIZE, ModelRecipe

ALL_TIERS = "all"
TIER_OPTION = click.option(
    "--tier",
    type=click.Choice([*MODES, ALL_TIERS]),
    multiple=True,
    default=("full",),
    show_default=True,
    help="Size that the network works at; may be given several times.",
)


def target_option(about: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option that says which processors an engine is for, with its help."""
    return click.option(
        "--target", type=click.Choice(installed.TARGETS), default=installed.CPU, show_default=True, help=about
    )


_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
# Triton has one space of names: ensembles, steps and engines must not meet in it.
_TAKEN = (DEFAULT_PIPELINE.ensemble, DEFAULT_PIPELINE.preprocess, DEFAULT_PIPELINE.postprocess)


def assign(recipe: ModelRecipe, name: str | None) -> ModelRecipe:
    """Return the recipe under the name that callers will use.

    Args:
        recipe: The network.
        name: What was asked for, or None for the recipe's own.

    Raises:
        EngineSourceError: The name cannot be one of Triton's, would be taken for another model's, or is the
            default network's, which takes saying so.
    """
    chosen = recipe.engine if name is None else name
    tiers_end = tuple(f"_{mode}" for mode in MODES)
    if not _NAME.fullmatch(chosen) or chosen.startswith(_TAKEN) or chosen.endswith(tiers_end):
        raise EngineSourceError(
            f"got the name {chosen!r}; pass --name with small letters, digits, dots, dashes and underscores, which "
            f"begins with none of {', '.join(_TAKEN)} and ends with none of {', '.join(tiers_end)}"
        )
    if chosen == DEFAULT_PIPELINE.engine and name is None and not isinstance(recipe.weights, Path):
        raise EngineSourceError(
            f"{recipe.name} would take the place of the default network, which is called {chosen}; pass --name "
            f"{chosen} if it is to, else another name"
        )
    return dataclasses.replace(recipe, engine=chosen)


def at_tier(recipe: ModelRecipe, mode: Mode) -> ModelRecipe:
    """Return the recipe at the size of a tier.

    Raises:
        EngineSourceError: The network is too small for that tier.
    """
    size = tiers.size_of(mode, recipe.size)
    if mode != "full" and size < MIN_SIZE:
        raise EngineSourceError(
            f"{recipe.name} works at {recipe.size} pixels, and {mode} would be {size}; at least {MIN_SIZE} are needed: "
            "build --tier full"
        )
    return dataclasses.replace(recipe, size=size)


def tiers_of(chosen: Sequence[str]) -> Sequence[Mode]:
    """Return the tiers that were chosen, largest first."""
    return [mode for mode in MODES if mode in chosen or ALL_TIERS in chosen]
