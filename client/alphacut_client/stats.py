"""What the server's own clocks say about each model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tritonclient.grpc import service_pb2

from alphacut_client._steps import Steps, ask

_NS = 1e-9


@dataclass(frozen=True, slots=True)
class ModelStatistics:
    """One model's counters since its server started; subtract two readings to get what happened between them.

    Attributes:
        inferences: Images answered; of a model in Python, images that it has taken.
        executions: Batches run; ``inferences / executions`` is the mean batch size.
        total_s: Seconds from arrival to answer, summed over images.
        queue_s: Of these, seconds spent waiting for a batch or a free instance.
        compute_s: Of these, seconds spent in the model: input copies, inference, output copies. Models in Python only
            begin with an image in that time; how long it waits and is worked on in them is ``alphacut_wait_us`` and
            ``alphacut_work_us`` on the server's page of metrics.
    """

    inferences: int
    executions: int
    total_s: float
    queue_s: float
    compute_s: float

    def __sub__(self, earlier: ModelStatistics) -> ModelStatistics:
        return ModelStatistics(
            self.inferences - earlier.inferences,
            self.executions - earlier.executions,
            self.total_s - earlier.total_s,
            self.queue_s - earlier.queue_s,
            self.compute_s - earlier.compute_s,
        )


def statistics(timeout_s: float) -> Steps:
    """Ask for the counters of all models, once."""
    answer = yield from ask("ModelStatistics", service_pb2.ModelStatisticsRequest(), timeout_s, once=True)
    return read_statistics(answer)


def read_statistics(response: Any) -> dict[str, ModelStatistics]:
    """Read a ``ModelStatisticsResponse``: model name to counters, versions of one model added up."""
    models: dict[str, ModelStatistics] = {}
    for model in response.model_stats:
        inference = model.inference_stats
        compute_ns = inference.compute_input.ns + inference.compute_infer.ns + inference.compute_output.ns
        sofar = models.get(model.name, ModelStatistics(0, 0, 0.0, 0.0, 0.0))
        models[model.name] = ModelStatistics(
            sofar.inferences + model.inference_count,
            sofar.executions + model.execution_count,
            sofar.total_s + inference.success.ns * _NS,
            sofar.queue_s + inference.queue.ns * _NS,
            sofar.compute_s + compute_ns * _NS,
        )
    return models
