"""How fast JPEG files become squares: Pillow on one core and on all, nvImageCodec and DALI on the GPU."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PIL import Image

from alphacut_core import codec, steps
from alphacut_core.errors import EngineError
from alphacut_core.limits import DEFAULT_LIMITS
from alphacut_core.options import Options
from alphacut_gpu import accelerator, networks
from alphacut_gpu.place import CHECKOUT, Place
from alphacut_gpu.trying import Trying

_SIZE_PX = (1920, 1280)
_BATCH = 32


def measure(place: Place) -> None:
    """Time each way, in pictures a second."""
    files = _files(4 if place.quick else _BATCH)
    seconds = 0.3 if place.quick else 2.0
    cores = len(os.sched_getaffinity(0))
    found: dict[str, Any] = {"pictures": f"JPEG of {_SIZE_PX[0]}x{_SIZE_PX[1]}", "cores": cores, "ways": {}}
    for decode in ("exact", "fast"):
        options = Options(decode=decode)
        for threads in (1, cores):
            with ThreadPoolExecutor(threads) as pool:

                def work(options: Options = options, pool: ThreadPoolExecutor = pool) -> int:
                    return len(list(pool.map(lambda one: _square(one, options), files)))

                found["ways"][f"Pillow, {decode}, {threads} threads"] = {"images_per_s": _rate(work, seconds)}
    place.keep("decoding", found)
    trying = Trying()
    for name, way in (("nvImageCodec", _nvimagecodec), ("DALI", _dali)):
        of_it = found["ways"][name] = {}
        with trying.one(name, of_it, "not_run"):
            accelerator.needed()
            of_it["images_per_s"] = _rate(way(files), seconds)
        place.keep("decoding", found)
    trying.end()


def _square(file: bytes, options: Options) -> Any:
    return steps.preprocess(file, options, networks.SIZE, DEFAULT_LIMITS)


def _files(count: int) -> list[bytes]:
    """Return so many photographs as cameras' JPEG files."""
    files = []
    for path in sorted((CHECKOUT / "samples").glob("*.jpg")):
        written = io.BytesIO()
        codec.decode(path.read_bytes()).convert("RGB").resize(_SIZE_PX, Image.Resampling.LANCZOS).save(
            written, "JPEG", quality=90
        )
        files.append(written.getvalue())
    return [files[i % len(files)] for i in range(count)]


def _rate(work: Callable[[], int], seconds: float) -> float:
    work()
    done, begin = 0, time.perf_counter()
    while (took_s := time.perf_counter() - begin) < seconds:
        done += work()
    return done / took_s


def _nvimagecodec(files: Sequence[bytes]) -> Callable[[], int]:
    """Decode on the GPU and resize there, by PyTorch."""
    torch = accelerator.torch()
    from nvidia import nvimgcodec

    # Without its library for JPEG on GPUs it would decode on the processor, and say nothing of that.
    kinds = nvimgcodec.BackendKind
    on_gpu = (kinds.HW_GPU_ONLY, kinds.GPU_ONLY, kinds.HYBRID_CPU_GPU)
    decoder = nvimgcodec.Decoder(backends=[nvimgcodec.Backend(kind) for kind in on_gpu])

    def work() -> int:
        pictures = decoder.decode(list(files))
        if None in pictures:
            raise EngineError("nvImageCodec decodes no JPEG on this GPU; is nvidia-nvjpeg carried? The log says why")
        for picture in pictures:
            planes = torch.as_tensor(picture, device="cuda").permute(2, 0, 1)[None].float()
            torch.nn.functional.interpolate(planes, (networks.SIZE,) * 2, mode="bilinear", antialias=True)
        torch.cuda.synchronize()
        return len(pictures)

    return work


def _dali(files: Sequence[bytes]) -> Callable[[], int]:
    import numpy as np
    from nvidia.dali import fn, pipeline_def, types

    @pipeline_def(batch_size=len(files), num_threads=len(os.sched_getaffinity(0)), device_id=0)
    def squares() -> Any:
        encoded = fn.external_source(source=lambda: [np.frombuffer(one, np.uint8) for one in files], dtype=types.UINT8)
        return fn.resize(fn.decoders.image(encoded, device="mixed"), size=(networks.SIZE,) * 2, antialias=True)

    pipeline = squares()
    pipeline.build()

    def work() -> int:
        (made,) = pipeline.run()
        return len(made)

    return work
