"""The dashboard of the engines: throughput, batches, stages, GPU."""

from __future__ import annotations

from panels import Board, Panel, Query

_OF_ENGINES = 'model!~"preprocess.*|postprocess.*|remove_background.*"'
"""Triton counts an image for the ensemble and for each of its steps."""


def _rate(counter: str) -> str:
    return f"sum by (model) (rate({counter}[$__rate_interval]))"


def _a_request(seconds: str) -> str:
    return f"({seconds}) / ({_rate('nv_inference_request_success')} > 0) / 1e6"


def _mean_us(clock: str) -> str:
    """Return the mean seconds of one of Triton's clocks, which count microseconds, by model."""
    return _a_request(_rate(f"nv_inference_{clock}_duration_us"))


_QUEUE, _WAIT = _rate("nv_inference_queue_duration_us"), _rate("alphacut_wait_us")
_COMPUTE, _WORK = _rate("nv_inference_compute_infer_duration_us"), _rate("alphacut_work_us")
"""Images wait and are worked on in Python models after Triton's clocks have stopped."""


ENGINES = Board(
    "alphacut-engines",
    "Alphacut: engines",
    (
        (
            "Throughput",
            (
                Panel(
                    "Images",
                    "reqps",
                    (Query("sum by (model) (rate(nv_inference_count[$__rate_interval]))", "{{model}}"),),
                ),
                Panel(
                    "Batch size",
                    "short",
                    (
                        Query(
                            "sum by (model) (rate(nv_inference_count[$__rate_interval]))"
                            " / (sum by (model) (rate(nv_inference_exec_count[$__rate_interval])) > 0)",
                            "{{model}}",
                        ),
                    ),
                    "Images in one run of the model. 1 on a GPU under load means that batches do not form.",
                ),
                Panel(
                    "Failures by reason",
                    "reqps",
                    (Query("alphacut:failures:rate5m", "{{model}} {{reason}}"),),
                    "UNAVAILABLE waited too long or found no room. INVALID_ARGUMENT: mostly files that are no pictures."
                    " OTHER of an ensemble is one of its steps.",
                ),
            ),
        ),
        (
            "Latency of the stages",
            (
                Panel(
                    "Waiting in the queue, mean",
                    "s",
                    (Query(_a_request(f"{_QUEUE} + {_WAIT} or {_QUEUE}"), "{{model}}"),),
                ),
                Panel("Computing, mean", "s", (Query(_a_request(f"{_WORK} or {_COMPUTE}"), "{{model}}"),)),
                Panel(
                    "Carrying tensors, mean",
                    "s",
                    (
                        Query(_mean_us("compute_input"), "{{model}} in"),
                        Query(_mean_us("compute_output"), "{{model}} out"),
                    ),
                ),
                Panel(
                    "Waiting requests",
                    "short",
                    (Query("alphacut:waiting:sum", "{{model}}"),),
                ),
                Panel("Whole requests, mean", "s", (Query(_mean_us("request"), "{{model}}"),)),
            ),
        ),
        (
            "GPU",
            (
                Panel("Use", "percentunit", (Query("nv_gpu_utilization", "{{gpu_uuid}}", "gpu"),)),
                Panel(
                    "Memory",
                    "bytes",
                    (
                        Query("nv_gpu_memory_used_bytes", "{{gpu_uuid}} used", "gpu"),
                        Query("nv_gpu_memory_total_bytes", "{{gpu_uuid}} of", "gpu"),
                    ),
                ),
                Panel(
                    "Power",
                    "watt",
                    (
                        Query("nv_gpu_power_usage", "{{gpu_uuid}}", "gpu"),
                        Query("nv_gpu_power_limit", "{{gpu_uuid}} limit", "gpu"),
                    ),
                ),
                Panel(
                    "Energy of an image",
                    "joule",
                    (
                        Query(
                            "sum(rate(nv_energy_consumption[$__rate_interval]))"
                            f" / (sum(rate(nv_inference_count{{{_OF_ENGINES}}}[$__rate_interval])) > 0)",
                            "joules",
                            "gpu",
                        ),
                    ),
                ),
            ),
        ),
        (
            "Host",
            (
                Panel("Processors", "percentunit", (Query("nv_cpu_utilization", "{{instance}}"),)),
                Panel(
                    "Memory",
                    "bytes",
                    (
                        Query("nv_cpu_memory_used_bytes", "{{instance}} used"),
                        Query("nv_cpu_memory_total_bytes", "{{instance}} of"),
                    ),
                ),
            ),
        ),
    ),
)
