"""A setting that Triton refuses, or does not take back, is told, and the next one is tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tritonclient.utils import InferenceServerException

from alphacut_core.errors import UnavailableError
from alphacut_engines import configs


class Triton:
    """Loads what it is asked to, but for the n-th times in ``refused``."""

    def __init__(self, refused: set[int]) -> None:
        self.refused = refused
        self.loads = 0

    def load_model(self, model: str, client_timeout: float) -> None:
        self.loads += 1
        if self.loads in self.refused:
            raise InferenceServerException(f"load {self.loads}: out of memory")

    def close(self) -> None:
        pass


class Callers:
    """Get an answer, but for those that come second."""

    def __init__(self) -> None:
        self.runs = 0

    def closed(self, callers: int) -> dict[str, Any]:
        self.runs += 1
        if self.runs == 2:
            raise UnavailableError("the server was restarted")
        return {"images_per_s": 7.0}


def test_every_setting_is_told_whatever_the_server_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import staging, variations

    pipeline = staging.PIPELINE
    staging.write(tmp_path, configs.preprocess(pipeline))
    staging.write(tmp_path, configs.rtx_engine(pipeline), "configs/cpu.pbtxt")
    before = {path: path.read_text() for path in tmp_path.rglob("*.pbtxt")}
    triton = Triton(refused={2, 3, 8})  # the first is not taken back, the second not taken, nor the last taken back
    monkeypatch.setattr(variations, "InferenceServerClient", lambda url: triton)
    told = dict(variations.measure("127.0.0.1:1", tmp_path, Callers(), 8))
    assert {name: next(iter(one.values())) for name, one in told.items()} == {
        "2 decoders": 7.0,
        "2 decoders, taken back": "load 2: out of memory",
        "4 decoders": "load 3: out of memory",
        "2 engines": "the server was restarted",
        "batches wait 2 ms": 7.0,
        "batches wait 2 ms, taken back": "load 8: out of memory",
    }
    assert {path: path.read_text() for path in tmp_path.rglob("*.pbtxt")} == before
