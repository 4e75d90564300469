"""What is told, and how it ends, when the application or its workers do not start."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from uvicorn.supervisors import Multiprocess

from alphacut_core.errors import ContractError
from alphacut_gateway import assembly, serving
from alphacut_gateway.settings import Settings


class Child:
    """A worker process that never answers."""

    def __init__(self, pid: int, *, alive: bool) -> None:
        self.pid = pid
        self.alive = alive
        self.terminated = self.joined = False
        self.process = self

    def is_alive(self) -> bool:
        return self.alive

    def terminate(self) -> None:
        self.terminated = True

    def join(self) -> None:
        self.joined = True


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener


@pytest.fixture
def workers(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a supervisor whose children are the given ones."""

    def supervisor(*children: Child) -> serving._Workers:
        made = serving._Workers(serving._config("none:app", Settings()), listener, "127.0.0.1:1")
        monkeypatch.setattr(Multiprocess, "init_processes", lambda self: self.processes.extend(children))
        return made

    monkeypatch.setattr(signal, "signal", lambda *_: None)
    return supervisor


def test_workers_that_all_die_at_their_start_end_the_supervisor(
    workers: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    children = Child(1, alive=False), Child(2, alive=False)
    with pytest.raises(ContractError, match="no worker has started"):
        workers(*children).run()
    assert all(child.terminated and child.joined for child in children)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("pressed", [signal.SIGINT, signal.SIGTERM])
def test_a_supervisor_stops_while_its_workers_start(
    workers: Any, capsys: pytest.CaptureFixture[str], pressed: int
) -> None:
    child = Child(1, alive=True)
    supervisor = workers(child)
    supervisor.signal_queue.append(pressed)
    supervisor.run()
    assert child.terminated
    assert child.joined
    assert capsys.readouterr().out == ""


def test_what_a_replaced_worker_had_under_way_is_forgotten(
    workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(Multiprocess, "keep_subprocess_alive", lambda _: None)
    numbers = [tmp_path / f"gauge_livesum_{pid}.db" for pid in (1, 2)]
    for file in numbers:
        file.touch()
    supervisor = workers()
    supervisor.processes = [Child(1, alive=True), Child(2, alive=True)]
    supervisor.keep_subprocess_alive()
    supervisor.processes = [Child(3, alive=True), Child(2, alive=True)]
    supervisor.keep_subprocess_alive()
    assert [file.exists() for file in numbers] == [False, True]


@pytest.mark.parametrize("url", ["user:password@127.0.0.1:6379", "redis://:password@127.0.0.1:port"])
def test_a_redis_url_that_is_none_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ContractError, match="redis://") as refused:
        assembly.check(Settings(redis_url=url))
    assert "password" not in str(refused.value)


@pytest.mark.parametrize("name", ["nowhere/jobs.db", "text", "."])
def test_a_file_that_cannot_keep_jobs_is_refused_before_anything_is_served(tmp_path: Path, name: str) -> None:
    (tmp_path / "text").write_text("no database, whatever its name says")
    with pytest.raises(ContractError, match="cannot keep jobs"):
        assembly.check(Settings(jobs_file=tmp_path / name))


def test_a_gateway_that_does_not_start_says_so_and_names_no_address(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(assembly, "triton", fail)
    with pytest.raises(ContractError, match="did not start"):
        serving.serve(Settings(), listener)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001", "triton", "a:1,b:2", ""])
def test_an_address_of_triton_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ContractError, match=r"cannot speak to Triton: .* give host and port"):
        assembly.check(Settings(triton_url=url))
