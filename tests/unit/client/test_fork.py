"""A client that was used before a fork works after it, on both sides."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

Serve = Callable[..., Any]

# In processes of their own: this one runs the server's threads, which no fork would survive.
POOL = """
import multiprocessing, sys
from PIL import Image
from alphacut_client import Client

picture = Image.new("RGB", (9, 9))
client = Client(sys.argv[1])

def work(number):
    return len(client.remove_batch([picture] * 3)) + client.remove(picture).width

client.remove(picture)  # the channel is open, as in a server that loads its application before it forks
with multiprocessing.get_context("fork").Pool(3) as pool:
    assert pool.map(work, range(12)) == [12] * 12
client.remove(picture)
with multiprocessing.get_context("fork").Pool(1) as pool:
    assert pool.map(work, range(2)) == [12] * 2
client.close()
"""
BUSY = """
import os, sys, threading
from PIL import Image
from alphacut_client import Client

picture = Image.new("RGB", (9, 9))
client = Client(sys.argv[1])
stop = threading.Event()

def keep_busy():
    while not stop.is_set():
        client.remove(picture)

threads = [threading.Thread(target=keep_busy) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(12):
    child = os.fork()
    if child == 0:
        client.remove_batch([picture] * 3)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
for thread in threads:
    thread.join()
client.close()
"""
LOOP = """
import asyncio, os, sys
from PIL import Image
from alphacut_client import AsyncClient

async def run():
    async with AsyncClient(sys.argv[1]) as client:
        await client.remove(Image.new("RGB", (9, 9)))
        child = os.fork()
        if child == 0:
            try:
                client._connection.check_open()
            except RuntimeError as error:
                os._exit(0 if "create one in the child" in str(error) else 1)
            os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        await client.remove(Image.new("RGB", (9, 9)))

asyncio.run(run())
"""


# Hooks before a fork run in the reverse order of their registration: the client's comes between these two.
WAITING = """
import os, sys, threading

def say(*words):
    print(*words, flush=True)

os.register_at_fork(before=lambda: say("at the fork,", client._connection.active, "under way"))
from PIL import Image
from alphacut_client import Client
os.register_at_fork(before=lambda: say("about to fork"))

picture = Image.new("RGB", (9, 9))
client = Client(sys.argv[1])
caller = threading.Thread(target=client.remove, args=(picture,))
caller.start()
sys.stdin.readline()  # the server has the request
child = os.fork()
if child == 0:
    os._exit(client.remove(picture).width != 9)
assert os.waitpid(child, 0)[1] == 0
caller.join()
client.close()
"""
# The first call in a child opens its channel, here for as long as its name is looked up; the second comes meanwhile.
TOGETHER = """
import os, socket, sys, threading
from PIL import Image
from alphacut_client import Client

class Parents:
    def __getattr__(self, name):
        os._exit(3)

picture = Image.new("RGB", (9, 9))
port = sys.argv[1].rpartition(":")[2]
client = Client([f"127.0.0.1:{port}", f"localhost:{port}"])
client.remove(picture)
child = os.fork()
if child == 0:
    client._connection._stub = Parents()
    looking, found = threading.Event(), threading.Event()
    look_up = socket.getaddrinfo

    def slowly(*arguments, **more):
        looking.set()
        found.wait()
        return look_up(*arguments, **more)

    socket.getaddrinfo = slowly
    callers = [threading.Thread(target=client.remove, args=(picture,)) for _ in range(2)]
    callers[0].start()
    looking.wait()
    callers[1].start()
    callers[1].join(0.5)
    found.set()
    for caller in callers:
        caller.join()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
client.close()
"""
_TIMEOUT_S = 120
_MUST_NOT_COME_S = 0.5


@pytest.fixture
def run() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a program in a process group of its own; whatever is left of it is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, url: str) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = [sys.executable, "-c", program, url]
        started.append(subprocess.Popen(command, text=True, start_new_session=True, **pipes))
        return started[-1]

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_a_fork_waits_until_no_call_is_under_way_and_the_child_connects_anew(
    serve: Serve, respond: Callable[..., Any], run: Callable[..., subprocess.Popen[str]]
) -> None:
    answered = threading.Event()
    peers: queue.Queue[str] = queue.Queue()

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        peers.put(context.peer())
        assert answered.wait(_TIMEOUT_S)
        return respond(request)

    process = run(WAITING, serve(answer).url)
    assert process.stdin is not None
    said: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=lambda: [said.put(line.strip()) for line in process.stdout or ()])
    reader.start()
    try:
        parent = peers.get(timeout=_TIMEOUT_S)
        process.stdin.write("go\n")
        process.stdin.flush()
        assert said.get(timeout=_TIMEOUT_S) == "about to fork"
        with pytest.raises(queue.Empty):
            said.get(timeout=_MUST_NOT_COME_S)
    finally:
        answered.set()
    assert said.get(timeout=_TIMEOUT_S) == "at the fork, 0 under way"
    assert peers.get(timeout=_TIMEOUT_S) != parent
    assert process.wait(_TIMEOUT_S) == 0
    reader.join(_TIMEOUT_S)


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(POOL, id="a pool of processes"),
        pytest.param(BUSY, id="with calls under way"),
        pytest.param(TOGETHER, id="by two threads at once"),
        pytest.param(LOOP, id="an event loop's client says so"),
    ],
)
def test_a_client_that_was_used_before_a_fork_works_in_parent_and_child(
    program: str, serve: Serve, run: Callable[..., subprocess.Popen[str]]
) -> None:
    process = run(program, serve().url)
    _, errors = process.communicate(timeout=_TIMEOUT_S)
    assert process.returncode == 0, errors
