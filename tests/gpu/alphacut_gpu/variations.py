"""What other numbers of instances and another delay make of a running server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from alphacut_core import installed
from alphacut_core.errors import AlphacutError
from alphacut_engines import configs
from alphacut_gpu import staging
from alphacut_gpu.traffic import Traffic

_LOAD_TIMEOUT_S = 120.0


def measure(url: str, repository: Path, traffic: Traffic, callers: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what other numbers of instances and another delay make of the same callers, or why one is refused."""
    pipeline = staging.PIPELINE
    engine_config = f"configs/{installed.CPU}.pbtxt"
    with contextlib.closing(InferenceServerClient(url)) as triton:
        for name, model, file in (
            *((f"{count} decoders", pipeline.preprocess, "config.pbtxt") for count in (2, 4)),
            ("2 engines", pipeline.engine, engine_config),
            ("batches wait 2 ms", pipeline.engine, engine_config),
        ):
            path = repository / model / file
            before = path.read_text()
            config = configs.read(path)
            if name.startswith("batches"):
                config.dynamic_batching.max_queue_delay_microseconds = 2000
            else:
                config.instance_group[0].count = int(name.split()[0])
            staging.write(repository, config, file)
            try:
                triton.load_model(model, client_timeout=_LOAD_TIMEOUT_S)
                yield name, traffic.closed(callers)
            except (InferenceServerException, AlphacutError) as error:
                yield name, {"refused": str(error)}
            path.write_text(before)
            try:
                triton.load_model(model, client_timeout=_LOAD_TIMEOUT_S)
            except InferenceServerException as error:  # the next ones are asked for all the same, and tell
                yield f"{name}, taken back", {"refused": str(error)}
