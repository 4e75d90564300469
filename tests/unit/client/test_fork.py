"""A client that was used before a fork works after it, on both sides."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

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


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(POOL, id="a pool of processes"),
        pytest.param(BUSY, id="with calls under way"),
        pytest.param(LOOP, id="an event loop's client says so"),
    ],
)
def test_a_client_that_was_used_before_a_fork_works_in_parent_and_child(program: str, serve: Serve) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", program, serve().url], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
