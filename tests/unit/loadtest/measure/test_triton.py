from __future__ import annotations

from typing import Any

import pytest

from alphacut_core.errors import UnavailableError
from alphacut_loadtest.measure import stages, triton

PAGE = """# HELP nv_inference_request_success Number of successful inference requests, all batch sizes
# TYPE nv_inference_request_success counter
nv_inference_request_success{model="remove_background",version="1"} 20
nv_inference_request_success{model="preprocess",version="1"} 10
nv_inference_request_success{model="preprocess_160",version="1"} 10
# TYPE nv_inference_request_failure counter
nv_inference_request_failure{model="remove_background",reason="OTHER",version="1"} 1
nv_inference_request_failure{model="remove_background",reason="REJECTED",version="1"} 2
# TYPE nv_inference_exec_count counter
nv_inference_exec_count{model="preprocess",version="1"} 5
# TYPE nv_inference_queue_duration_us counter
nv_inference_queue_duration_us{model="preprocess",version="1"} 2000000
# TYPE nv_inference_compute_infer_duration_us counter
nv_inference_compute_infer_duration_us{model="preprocess",version="1"} 1000000
# TYPE nv_inference_compute_input_duration_us counter
nv_inference_compute_input_duration_us{model="preprocess",version="1"} 500000
# TYPE nv_inference_pending_request_count gauge
nv_inference_pending_request_count{model="u2netp",version="1"} 7
"""


def test_counters_are_read_by_model_in_seconds() -> None:
    page = triton.parse(PAGE)
    assert page.counters["preprocess"] == triton.Counters(10, 0, 5, 0, 2.0, 1.5)
    assert page.counters["remove_background"].failed == 3
    assert page.pending == {"u2netp": 7}


def test_models_of_all_tiers_make_up_a_stage() -> None:
    counters = triton.parse(PAGE).counters
    assert stages.by_stage(counters)["decode"].succeeded == 20
    assert stages.ensembles(counters).succeeded == 20
    assert stages.stage_of("u2netp_lite") == "engine"
    assert stages.stage_of("remove_background_lite") is None


def test_what_happened_in_between_is_a_difference() -> None:
    assert triton.Counters(5, 1) - triton.Counters(2, 1) == triton.Counters(3, 0)


def test_an_address_without_metrics_is_told() -> None:
    with pytest.raises(UnavailableError, match="--metrics"):
        triton.read("http://127.0.0.1:9/metrics")


def test_metrics_of_this_machine_are_not_asked_of_a_proxy(deaf_proxy: Any) -> None:
    with pytest.raises(UnavailableError):
        triton.read("http://127.0.0.1:9/metrics")
    assert not deaf_proxy.was_asked()
