"""Where Triton's model repository is."""

from __future__ import annotations

from pathlib import Path

import click

from alphacut_core import bundled
from alphacut_core.errors import EngineBuildError

REPOSITORY_OPTION = click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=bundled.REPOSITORY_VARIABLE,
    help=f"Triton's model repository; default: the checkout's, or ${bundled.REPOSITORY_VARIABLE}.",
)


def locate(given: Path | None) -> Path:
    """Return the repository that was given, or the checkout's.

    Raises:
        EngineBuildError: There is neither.
    """
    if given is not None:
        return given
    if not bundled.MODEL_REPOSITORY.is_dir():
        raise EngineBuildError(
            f"there is no model repository at {bundled.MODEL_REPOSITORY}, where a checkout has it; "
            "pass --repository DIR"
        )
    return bundled.MODEL_REPOSITORY
