"""Ask the server for the mask and the cut-out of a picture whose mask is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput, InferResult
from tritonclient.utils import InferenceServerException

from alphacut_core import probe
from alphacut_core.contract import ANY_MASK, CONFIDENCE, ENCODED, LEVEL, OPTIONS, RENDERED, image_spec, mask_spec
from alphacut_core.errors import InferenceError, InputError, ServerStartError, UnavailableError
from alphacut_core.geometry import Pixels
from alphacut_core.installed import CPU, Installed
from alphacut_core.loopback import NO_PROXY
from alphacut_core.options import Options
from alphacut_server import paths

_NOBODY_THERE = ("StatusCode.UNAVAILABLE", "StatusCode.DEADLINE_EXCEEDED", "StatusCode.CANCELLED")
_FIRST = {LEVEL: 0}
"""A probe goes before all that waits: who sends more than a server can do is no reason to end it."""

_CAUSES = (
    "either the engine is not the one that was checked (run: alphacut build --force), or the server's environment "
    "was changed, numpy 2 makes this Triton answer garbage (delete server-* in ~/.cache/alphacut, or where "
    f"${paths.HOME_VARIABLE} points, to have it made anew)"
)


class Health:
    """Probes of one server. Not safe for several threads."""

    def __init__(self, url: str) -> None:
        """Prepare.

        Args:
            url: Triton's gRPC address.
        """
        self._client = InferenceServerClient(url, channel_args=[("grpc.max_reconnect_backoff_ms", 200), NO_PROXY])
        self._answers: dict[Path, Pixels] = {}
        self._inputs = [_bytes_input(ENCODED.name, probe.picture()), _bytes_input(OPTIONS.name, Options().to_wire())]

    def check(self, engine: Installed, timeout_s: float) -> None:
        """Ask once through the whole ensemble of an engine.

        Raises:
            UnavailableError: No answer.
            InferenceError: An answer, but not the known one; restarting will hardly help.
            ServerStartError: The answer is not known.
        """
        pipeline = engine.pipeline
        answer, mask_name = self._known_answer(engine.folder), mask_spec(pipeline.size).name
        # The cut-out too: without it Triton would leave the last step out, which may be dead.
        outputs = (mask_name, CONFIDENCE.name, RENDERED.name)
        mask = self._ask(pipeline.ensemble, self._inputs, outputs, timeout_s).as_numpy(mask_name)
        if mask is None or mask.shape[:1] != (1,):
            raise InferenceError(f"the probe's answer from {pipeline.ensemble} has no {mask_name} tensor of one image")
        difference = probe.mean_difference(mask[0], answer)
        if difference > probe.MAX_MEAN_DIFFERENCE:
            raise InferenceError(
                f"the probe's mask from {pipeline.ensemble} differs from the known answer by {difference:.1f} of 255 "
                f"in the mean, at most {probe.MAX_MEAN_DIFFERENCE} is accepted; {_CAUSES}"
            )

    def check_around(self, engine: Installed, timeout_s: float) -> None:
        """Ask the steps before and behind an engine once, and not the engine itself.

        Raises:
            UnavailableError: No answer.
            InferenceError: One of them answers with an error.
            ServerStartError: The answer is not known.
        """
        pipeline, mask = engine.pipeline, self._known_answer(engine.folder)
        self._ask(pipeline.preprocess, self._inputs, [image_spec(pipeline.size).name], timeout_s)
        masked = [*self._inputs, _input(ANY_MASK.name, mask)]
        self._ask(pipeline.postprocess, masked, [RENDERED.name], timeout_s)

    def _ask(self, model: str, inputs: list[InferInput], outputs: Sequence[str], timeout_s: float) -> InferResult:
        wanted = [InferRequestedOutput(name) for name in outputs]
        try:
            return self._client.infer(model, inputs, outputs=wanted, client_timeout=timeout_s, parameters=_FIRST)
        except InferenceServerException as error:
            if error.status() in _NOBODY_THERE:
                raise UnavailableError(f"the probe of {model} got no answer: {error}") from error
            raise InferenceError(
                f"the probe of {model} was answered with an error: {error.message()}; {_CAUSES}"
            ) from error

    def _known_answer(self, folder: Path) -> Pixels:
        """Return the mask that the reference makes of the probe picture: uint8 (S, S)."""
        if folder not in self._answers:
            try:
                self._answers[folder] = probe.load_answer(folder)
            except (OSError, InputError) as error:
                raise ServerStartError(
                    f"there is no whole engine in {folder} ({probe.ANSWER_FILE} cannot be read: {error}); "
                    "run: alphacut build --force"
                ) from error
        return self._answers[folder]

    def completed(self, engine: Installed, timeout_s: float) -> int:
        """Return how many images an engine has finished since it was loaded.

        Of an engine on a CPU those that went through its ensemble: it is a model in Python, and Triton counts an image
        for it once it has taken it.

        Raises:
            UnavailableError: The server does not say.
        """
        counted = engine.pipeline.ensemble if engine.config.stem == CPU else engine.engine
        try:
            statistics = self._client.get_inference_statistics(counted, client_timeout=timeout_s)
        except InferenceServerException as error:
            raise UnavailableError(f"the server does not report statistics: {error}") from error
        return sum(int(model.inference_count) for model in statistics.model_stats)

    def load(self, model: str, timeout_s: float) -> None:
        """Have Triton load a model as its files are now; what it served before goes on until the new one is ready.

        Raises:
            UnavailableError: No answer.
            InferenceError: Triton refuses it and serves what it served before.
        """
        try:
            self._client.load_model(model, client_timeout=timeout_s)
        except InferenceServerException as error:
            if error.status() in _NOBODY_THERE:
                raise UnavailableError(f"Triton did not load {model}: {error}") from error
            raise InferenceError(f"Triton refuses {model}: {error.message()}") from error

    def unload(self, model: str, timeout_s: float) -> None:
        """Have Triton stop serving a model; nothing happens if it does not.

        Raises:
            InferenceError: Triton refuses, or does not answer.
        """
        try:
            self._client.unload_model(model, client_timeout=timeout_s)
        except InferenceServerException as error:
            raise InferenceError(f"Triton did not unload {model}: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _bytes_input(name: str, data: bytes) -> InferInput:
    return _input(name, np.frombuffer(data, np.uint8))


def _input(name: str, values: Pixels) -> InferInput:
    batch = values[None]
    tensor = InferInput(name, list(batch.shape), "UINT8")
    tensor.set_data_from_numpy(batch)
    return tensor
