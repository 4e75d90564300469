"""Pictures that are opened and not read, handed to several threads at once."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from PIL import Image

from alphacut_core import background, codec
from alphacut_core.errors import UndecodableImageError
from alphacut_core.options import Options, Refine

N_THREADS = 8
N_ROUNDS = 5
TURNED_BY_90_DEGREES = 6

# A thread of the parent's holds the picture's lock for ever; the child has the lock's copy, and not the thread.
FORK = """
import io, os, signal, threading
from PIL import Image
from alphacut_core import codec, opened

file = io.BytesIO()
Image.new("RGB", (9, 9)).save(file, "PNG")
picture, held, over = Image.open(file), threading.Event(), threading.Event()

def hold():
    with opened.alone(picture):
        held.set()
        over.wait()

thread = threading.Thread(target=hold)
thread.start()
held.wait()
child = os.fork()
if child == 0:
    signal.alarm(30)
    codec.upright(picture)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
over.set()
thread.join()
"""


@pytest.fixture(scope="module")
def slow_file() -> bytes:
    """A PNG that takes a while to read, stored turned."""
    noise = np.random.default_rng(5).integers(0, 256, (700, 900, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = TURNED_BY_90_DEGREES
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG", exif=exif)
    return file.getvalue()


def at_once(function: Callable[[], Image.Image]) -> list[bytes]:
    """Call in so many threads at the same moment; return the pixels of all."""
    together = Barrier(N_THREADS)

    def one() -> bytes:
        together.wait(20)
        return function().tobytes()

    with ThreadPoolExecutor(N_THREADS) as pool:
        calls = [pool.submit(one) for _ in range(N_THREADS)]
        return [call.result(60) for call in calls]


def test_threads_that_share_an_opened_picture_see_the_same_of_it(slow_file: bytes) -> None:
    expected = codec.decode(slow_file).tobytes()
    for _ in range(N_ROUNDS):
        shared = Image.open(io.BytesIO(slow_file))
        assert set(at_once(lambda picture=shared: codec.upright(picture))) == {expected}


def test_threads_that_share_an_opened_background_see_the_same_of_it(slow_file: bytes) -> None:
    cutout, nothing = Image.new("RGBA", (90, 70)), Image.new("RGB", (90, 70))

    def put(behind: Image.Image) -> Image.Image:
        return background.behind(cutout, behind, nothing, (0, 0, 90, 70))

    with Image.open(io.BytesIO(slow_file)) as alone:
        expected = put(alone).tobytes()
    for _ in range(N_ROUNDS):
        shared = Image.open(io.BytesIO(slow_file))
        assert set(at_once(lambda picture=shared: put(picture))) == {expected}


def test_a_background_or_trimap_whose_file_is_cut_off_is_an_input_error(slow_file: bytes) -> None:
    told = "got a background's pixels that are broken or cut off"
    with Image.open(io.BytesIO(slow_file[:9000])) as cut_off, pytest.raises(UndecodableImageError, match=told):
        background.behind(Image.new("RGBA", (9, 7)), cut_off, Image.new("RGB", (9, 7)), (0, 0, 9, 7))
    grey = io.BytesIO()
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (90, 90), dtype=np.uint8)).save(grey, "PNG")
    told = "got a trimap's pixels"
    with Image.open(io.BytesIO(grey.getvalue()[:2000])) as cut_off, pytest.raises(UndecodableImageError, match=told):
        Options(refine=Refine(), trimap=cut_off)


def test_a_forked_child_waits_for_no_thread_of_its_parents() -> None:
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK], check=True, timeout=60)
