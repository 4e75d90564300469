"""One run of a scenario by Locust in processes of its own."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alphacut_core.errors import AlphacutError
from alphacut_loadtest.generator import records
from alphacut_loadtest.generator.records import GeneratorProcess, Samples
from alphacut_loadtest.traffic import scenario_file
from alphacut_loadtest.traffic.corpus import Corpus
from alphacut_loadtest.traffic.scenario import Scenario

_LOCUSTFILE = Path(records.__file__).with_name("locustfile.py")
_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 30.0
_LAST_LINES = 15


class GeneratorError(AlphacutError):
    """The process that sends requests failed."""

    code = "load-generator"


@dataclass(frozen=True, slots=True)
class Run:
    """What one run saw.

    Attributes:
        scenario: What was sent.
        rate_per_s: What a stage's rate of 1 stood for.
        seed: Of all randomness.
        samples: Every request, the warm-up's too.
        processes: Those that sent.
    """

    scenario: Scenario
    rate_per_s: float
    seed: int
    samples: Samples
    processes: Sequence[GeneratorProcess]

    @property
    def words(self) -> dict[str, str]:
        """First words of the server for each kind of outcome that was not wanted."""
        return {outcome: words for one in self.processes for outcome, words in one.words.items()}


class RunInterrupt(KeyboardInterrupt):
    """Ctrl-C in the middle of a run.

    Attributes:
        run: What was seen until then, of a scenario that is as long as that.
    """

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run


@dataclass(frozen=True, slots=True)
class Generator:
    """How requests are sent.

    Attributes:
        url: ``grpc://HOST:PORT``, or ``http://HOST:PORT`` of a gateway.
        processes: How many processes send; one does some thousand requests a second.
        images: Folder of image files to send instead of those that are made.
        cache: Existing folder that keeps what is made from one run to the next.
    """

    url: str
    processes: int = 1
    images: Path | None = None
    cache: Path | None = None

    def run(self, scenario: Scenario, rate_per_s: float, seed: int = 0) -> Run:
        """Run a scenario to its end.

        Raises:
            GeneratorError: Locust failed or sent nothing; with its last words.
            RunInterrupt: Ctrl-C was pressed after the warm-up. Before it there is nothing to carry, nor is there where
                it is pressed again while the last answers come in: these raise KeyboardInterrupt.
        """
        if self.cache:  # filled here, so that what sends has only to read, and starts on time
            for lane in scenario.lanes:
                Corpus(lane.mix, self.images, self.cache)
        with tempfile.TemporaryDirectory(prefix="alphacut-load-") as scratch:
            folder = Path(scratch)
            (folder / "scenario.json").write_text(scenario_file.to_json(scenario))
            (folder / "records").mkdir()
            with (folder / "log").open("w+", errors="replace") as log:
                status, interrupted_unix_s = self._locust(scenario, rate_per_s, seed, folder, log.fileno())
                log.seek(0)
                last = "".join(log.readlines()[-_LAST_LINES:])
            samples, processes = records.read(folder / "records")
        # Locust's status is 1 where requests failed, which is for the results to tell.
        if status not in (0, 1) or len(processes) != self.processes:
            raise GeneratorError(
                f"Locust ended with status {status}, and {len(processes)} of {self.processes} processes left records; "
                f"its last words:\n{last}"
            )
        if interrupted_unix_s is None:
            return Run(scenario, rate_per_s, seed, samples, processes)
        ended_s = math.floor(10 * (interrupted_unix_s - min(one.started_unix_s for one in processes))) / 10
        if ended_s <= scenario.warmup_s:
            raise KeyboardInterrupt
        raise RunInterrupt(Run(scenario.until(ended_s), rate_per_s, seed, samples, processes))

    def _locust(
        self, scenario: Scenario, rate_per_s: float, seed: int, folder: Path, log: int
    ) -> tuple[int, float | None]:
        """Run it to its end; return its status and, if it was interrupted, when."""
        command = [
            *(sys.executable, "-m", "locust", "-f", str(_LOCUSTFILE), "--headless", "--only-summary"),
            *("--host", self.url, "--scenario", str(folder / "scenario.json"), "--records", str(folder / "records")),
            *("--rate", str(rate_per_s), "--seed", str(seed), "--stop-timeout", str(math.ceil(scenario.timeout_s) + 5)),
            *(("--images", str(self.images)) if self.images else ()),
            *(("--cache", str(self.cache)) if self.cache else ()),
            *(("--processes", str(self.processes)) if self.processes > 1 else ()),
        ]
        # Its own session: Ctrl-C reaches this process alone, which then ends all of them.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=folder
        )
        try:
            return process.wait(scenario.duration_s + scenario.timeout_s + _START_TIMEOUT_S), None
        except subprocess.TimeoutExpired:
            return -1, None
        except KeyboardInterrupt:
            interrupted_unix_s = time.time()
            process.send_signal(signal.SIGINT)  # upon which it waits for what is under way, and writes what it saw
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(scenario.timeout_s + _STOP_TIMEOUT_S), interrupted_unix_s
            raise
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
