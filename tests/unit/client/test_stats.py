"""The server's counters, read and subtracted."""

from __future__ import annotations

from typing import Any

import pytest
from tritonclient.grpc import service_pb2

from alphacut_client.stats import ModelStatistics, read_statistics


def counters(response: Any, images: int, batches: int, queue_ns: int, infer_ns: int) -> None:
    model = response.model_stats.add(name="u2netp", inference_count=images, execution_count=batches)
    model.inference_stats.queue.ns = queue_ns
    model.inference_stats.success.ns = queue_ns + infer_ns + 3_000_000
    model.inference_stats.compute_input.ns = 1_000_000
    model.inference_stats.compute_infer.ns = infer_ns
    model.inference_stats.compute_output.ns = 2_000_000


def test_nanoseconds_become_seconds_and_copies_count_as_compute() -> None:
    response = service_pb2.ModelStatisticsResponse()
    counters(response, 8, 2, 500_000_000, 1_000_000_000)
    statistics = read_statistics(response)["u2netp"]
    assert (statistics.inferences, statistics.executions) == (8, 2)
    assert (statistics.total_s, statistics.queue_s, statistics.compute_s) == pytest.approx((1.503, 0.5, 1.003))


def test_versions_of_one_model_add_up() -> None:
    response = service_pb2.ModelStatisticsResponse()
    counters(response, 1, 1, 0, 0)
    counters(response, 2, 2, 0, 0)
    assert read_statistics(response)["u2netp"].inferences == 3


def test_the_difference_of_two_readings_is_what_happened_between_them() -> None:
    difference = ModelStatistics(10, 5, 4.0, 1.0, 2.0) - ModelStatistics(4, 3, 1.0, 0.5, 0.5)
    assert difference == ModelStatistics(6, 2, 3.0, 0.5, 1.5)
