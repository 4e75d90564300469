from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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


def test_of_a_model_in_python_its_own_clocks_count_and_those_who_wait_in_it() -> None:
    page = triton.parse(
        PAGE
        + """# TYPE alphacut_work_us counter
alphacut_work_us{model="preprocess",version="1"} 4000000
# TYPE alphacut_wait_us counter
alphacut_wait_us{model="preprocess",version="1"} 3000000
# TYPE alphacut_answers counter
alphacut_answers{model="preprocess",version="1",status="OK"} 3
alphacut_answers{model="preprocess",version="1",status="UNAVAILABLE"} 2
alphacut_answers{model="preprocess_160",version="1",status="OK"} 10
"""
    )
    assert page.counters["preprocess"].succeeded == 3, "Triton counts those that were taken"
    assert page.counters["preprocess"].failed == 2
    assert page.counters["preprocess"].compute_s == 4.0, "Triton sees only how the work begins"
    assert page.counters["preprocess"].queue_s == 5.0, "in Triton's queue, and in the model"
    assert page.pending == {"u2netp": 7, "preprocess": 5, "preprocess_160": 0}


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


@contextmanager
def answering(answer: bytes, enough: threading.Event | None = None) -> Iterator[str]:
    """Let somebody answer so and hang up; with ``enough`` the first request gets the page, and the fourth sets it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for asked in itertools.count(1):
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer if asked > 1 or enough is None else whole(PAGE.encode()))
                if asked == 4 and enough is not None:
                    enough.set()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/metrics"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def whole(page: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)


CUT = {"nothing": b"", "a part of the page": whole(PAGE.encode())[:-100], "no HTTP": b"\x00\x00\r\n"}


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT)
def test_a_server_that_ends_while_it_answers_is_told_as_one_that_is_gone(answer: bytes) -> None:
    with answering(answer) as url, pytest.raises(UnavailableError, match="found no metrics"):
        triton.read(url)


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT)
def test_the_queue_is_watched_on_although_a_server_ended_while_it_answered(answer: bytes) -> None:
    enough = threading.Event()
    with answering(answer, enough) as url, pytest.raises(UnavailableError), triton.Watch(url, every_s=0.001):
        assert enough.wait(30), "it was looked at until the server ended, and not again"


def test_metrics_of_this_machine_are_not_asked_of_a_proxy(deaf_proxy: Any) -> None:
    with pytest.raises(UnavailableError):
        triton.read("http://127.0.0.1:9/metrics")
    assert not deaf_proxy.was_asked()
