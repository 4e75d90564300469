"""What a build shows while it runs: a line for whatever a stage has to say, and on a terminal the stage at work."""

from __future__ import annotations

from types import TracebackType

import click
from rich.console import Console
from rich.status import Status

from alphacut_engines.stages import Step


class Progress:
    """Shows one build; enter it for as long as that runs."""

    def __init__(self, engine: str) -> None:
        """Prepare.

        Args:
            engine: Name of what is built.
        """
        self._engine = engine
        console = Console()
        self._status: Status | None = console.status(f"{engine}: looking") if console.is_terminal else None

    def __enter__(self) -> Progress:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def begin(self, stage: str) -> None:
        """Show that a stage is at work."""
        if self._status is not None:
            self._status.update(f"{self._engine}: {stage}")

    def tell(self, step: Step) -> None:
        """Print what a stage has to say."""
        line = f"{step.stage:<10} {step.time_s:6.1f} s  {step.outcome}"
        if self._status is None:
            click.echo(line)
        else:
            self._status.console.print(line, markup=False, highlight=False)
