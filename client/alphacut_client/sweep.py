"""A folder's images, one after the other and several at once, with a bar that says how far."""

from __future__ import annotations

import errno
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from alphacut_client._crew import NOTICE_S
from alphacut_client._limiter import FixedLimit
from alphacut_client._threads import side_by_side
from alphacut_client.folder import Job
from alphacut_core import atomic
from alphacut_core.errors import AlphacutError, DeadlineError, UnavailableError

_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_FEWEST = 3  # one stall of the network may cost an image, and not the folder


@dataclass(slots=True)
class Sweep:
    """What became of a folder.

    Attributes:
        done: How many results were written.
        failed: Images that made no result.
        left: How many have none because the rest was given up.
        reason: Why it was.
    """

    done: int = 0
    failed: list[Path] = field(default_factory=list)
    left: int = 0
    reason: str = ""


class _NoPlaceError(Exception):
    """No result can be written where one could not: the disk is full, say."""


def sweep(
    jobs: list[Job], cut: Callable[[Path], bytes], window: int, give_up: Callable[[], None], console: Console
) -> Sweep:
    """Do all jobs; a failure is reported and the others go on.

    The rest is left where it would fail as well: when as many images in a row as are under way, and at least three,
    find no server or one that hangs, and when a disk takes nothing more.

    The thread that calls this only waits: Python may lose an interrupt that comes inside an import, or leave its lock
    of imports taken for ever.

    Args:
        jobs: Images and where their results belong.
        cut: Makes an image file's result; called in several threads.
        window: How many images are under way at once.
        give_up: Ends running calls early when this is interrupted.
        console: Where bar and failures are shown; nothing more after an interrupt.
    """
    with ThreadPoolExecutor(1, "alphacut_sweep") as pool:
        try:
            swept = pool.submit(_sweep, jobs, cut, window, give_up, console)
            while not wait([swept], NOTICE_S).done:
                pass
        except KeyboardInterrupt:
            console.quiet = True
            give_up()
            raise
    return swept.result()


def _sweep(
    jobs: list[Job], cut: Callable[[Path], bytes], window: int, give_up: Callable[[], None], console: Console
) -> Sweep:
    def work(job: Job) -> None:
        made = cut(job.source)
        try:
            atomic.write(job.target, made)
        except OSError as error:
            if error.errno in _OF_THE_DISK:
                raise _NoPlaceError(f"{job.target} cannot be written ({error.strerror})") from error
            raise

    result = Sweep()
    unanswered = 0
    running = side_by_side(work, jobs, FixedLimit(window), give_up, ordered=False)
    with _bar(console) as bar, closing(running) as outcomes:
        task = bar.add_task("cutting out", total=len(jobs))
        for index, outcome in outcomes:
            try:
                error = _failure(outcome)
            except _NoPlaceError as no_place:
                result.reason = str(no_place)
                break
            bar.advance(task)
            if error is None:
                result.done += 1
                unanswered = 0
                continue
            result.failed.append(jobs[index].source)
            console.print(f"error: {jobs[index].source}: {error}", markup=False, highlight=False, soft_wrap=True)
            unanswered = unanswered + 1 if isinstance(error, (UnavailableError, DeadlineError)) else 0
            if unanswered >= max(window, _FEWEST):
                result.reason = "the server no longer answered"
                break
    result.left = len(jobs) - result.done - len(result.failed)
    return result


def _failure(outcome: Future[None]) -> AlphacutError | OSError | None:
    try:
        outcome.result()
    except (AlphacutError, OSError) as error:
        return error
    return None


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
