"""Triton's own counters, from its Prometheus page."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

from prometheus_client.parser import text_string_to_metric_families

from alphacut_core import meter, replies
from alphacut_core.errors import UnavailableError
from alphacut_core.loopback import is_loopback

_TIMEOUT_S = 10.0
_US = 1e-6
_COUNTERS = {
    "nv_inference_request_success": "succeeded",
    "nv_inference_request_failure": "failed",
    "nv_inference_exec_count": "executions",
    "nv_inference_request_duration_us": "total_s",
    "nv_inference_queue_duration_us": "queue_s",
    "nv_inference_compute_input_duration_us": "compute_s",
    "nv_inference_compute_infer_duration_us": "compute_s",
    "nv_inference_compute_output_duration_us": "compute_s",
}
_WORK = {meter.WORK: "compute_s"}  # of models in Python, of whose work Triton sees only the beginning
_WAIT = {meter.WAIT: "queue_s"}  # in them, beside that in Triton's queue
_PENDING = "nv_inference_pending_request_count"


@dataclass(frozen=True, slots=True)
class Counters:
    """One model's, since the server started; subtract two to get what happened between them.

    Attributes:
        succeeded: Requests answered, and not with an error.
        failed: Requests that ended otherwise, for any reason.
        executions: Batches.
        total_s: Seconds in the server, summed over requests that were answered.
        queue_s: Of these, waiting.
        compute_s: In the model, summed over images side by side; in a plan every request of a batch counts the whole
            batch.
    """

    succeeded: float = 0.0
    failed: float = 0.0
    executions: float = 0.0
    total_s: float = 0.0
    queue_s: float = 0.0
    compute_s: float = 0.0

    def __sub__(self, earlier: Counters) -> Counters:
        return Counters(*(getattr(self, name) - getattr(earlier, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Page:
    """One reading: counters by model, and requests that wait; in a Python model also those that are worked on."""

    counters: Mapping[str, Counters]
    pending: Mapping[str, float]


def parse(text: str) -> Page:
    """Read Prometheus' text format."""
    values: dict[str, dict[str, float]] = {}
    work: dict[str, dict[str, float]] = {}
    pending: dict[str, float] = {}
    answers: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            model, name = sample.labels.get("model", ""), sample.name.removesuffix("_total")
            if name == _PENDING:
                pending[model] = pending.get(model, 0.0) + sample.value
            elif name == replies.ANSWERS:
                answers.setdefault(model, [0.0, 0.0])[sample.labels["status"] != replies.OK] += sample.value
            for names, found in ((_COUNTERS | _WAIT, values), (_WORK, work)):
                if name in names:
                    scale = _US if name.endswith("_us") else 1.0
                    of_model = found.setdefault(model, {})
                    of_model[names[name]] = of_model.get(names[name], 0.0) + scale * sample.value
    for model, (succeeded, failed) in answers.items():
        known = values.setdefault(model, {})
        taken = known.get("succeeded", 0.0)  # Triton counts no further
        pending[model] = pending.get(model, 0.0) + max(0.0, taken - succeeded - failed)
        known.update(succeeded=succeeded, failed=known.get("failed", 0.0) + failed)
    return Page({model: Counters(**{**known, **work.get(model, {})}) for model, known in values.items()}, pending)


def read(url: str) -> Page:
    """Fetch and read the page.

    Raises:
        UnavailableError: Nobody answers there, or not to the end.
    """
    try:
        with _opener(url).open(url, timeout=_TIMEOUT_S) as answer:
            return parse(answer.read().decode())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnavailableError(f"found no metrics of Triton's at {url} ({error}); name them with --metrics") from error


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Return what opens an address, without the environment's proxies where it is this machine's."""
    local = is_loopback(urllib.parse.urlsplit(url).hostname or "")
    return urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if local else []))


class Watch:
    """Reads pending requests again and again while the block runs, and counters at both ends.

    Attributes:
        pending: The time on the wall's clock, and requests waiting in all models.
    """

    def __init__(self, url: str, every_s: float = 0.25) -> None:
        self._url = url
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="metrics", daemon=True)
        self.pending: list[tuple[float, float]] = []
        self._before = Page({}, {})
        self._after = Page({}, {})

    def __enter__(self) -> Watch:
        self._before = read(self._url)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        if error is None:
            self._after = read(self._url)

    def counters(self) -> dict[str, Counters]:
        """Return what happened in the block, by model."""
        before = self._before.counters
        return {model: after - before.get(model, Counters()) for model, after in self._after.counters.items()}

    def _look(self) -> None:
        while not self._ended.wait(self._every_s):
            try:
                page = read(self._url)
            except UnavailableError:
                continue  # a server that is restarted; the counters at the end tell
            self.pending.append((time.time(), sum(page.pending.values())))
