"""Ask the server for the mask of a picture whose mask is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from alphacut_core import probe
from alphacut_core.contract import CONFIDENCE, DEFAULT_PIPELINE, ENCODED, OPTIONS, mask_spec
from alphacut_core.errors import InferenceError, ServerStartError, UnavailableError
from alphacut_core.geometry import Pixels
from alphacut_core.options import Options
from alphacut_server import paths

_NOBODY_THERE = ("StatusCode.UNAVAILABLE", "StatusCode.DEADLINE_EXCEEDED", "StatusCode.CANCELLED")
_CAUSES = (
    "either the engine is not the one that was checked (run: alphacut build --force), or the server's environment "
    f"was changed, numpy 2 makes this Triton answer garbage (delete {paths.home()}/server-* to have it made anew)"
)


class Health:
    """A probe of one server. Not safe for several threads."""

    def __init__(self, url: str, repository: Path) -> None:
        """Prepare the probe.

        Args:
            url: Triton's gRPC address.
            repository: The model repository, whose engine folder holds the known answer.

        Raises:
            ServerStartError: The engine has not been built.
        """
        engine = repository / DEFAULT_PIPELINE.engine / "1"
        try:
            self._answer: Pixels = probe.load_answer(engine)
        except FileNotFoundError as error:
            raise ServerStartError(
                f"there is no built engine in {engine} ({probe.ANSWER_FILE} is missing); run: alphacut build"
            ) from error
        self._client = InferenceServerClient(url, channel_args=[("grpc.max_reconnect_backoff_ms", 200)])
        self._inputs = [_input(ENCODED.name, probe.picture()), _input(OPTIONS.name, Options().to_wire())]
        self._mask = mask_spec(DEFAULT_PIPELINE.size)

    def check(self, timeout_s: float) -> None:
        """Ask once.

        Raises:
            UnavailableError: No answer, or an error instead of one.
            InferenceError: An answer, but not the known one; restarting will hardly help.
        """
        outputs = [InferRequestedOutput(name) for name in (self._mask.name, CONFIDENCE.name)]
        try:
            result = self._client.infer(
                DEFAULT_PIPELINE.ensemble, self._inputs, outputs=outputs, client_timeout=timeout_s
            )
        except InferenceServerException as error:
            if error.status() in _NOBODY_THERE:
                raise UnavailableError(f"the probe got no answer: {error}") from error
            raise InferenceError(f"the probe was answered with an error: {error.message()}; {_CAUSES}") from error
        mask = result.as_numpy(self._mask.name)
        if mask is None or mask.shape[:1] != (1,):
            raise InferenceError(f"the probe's answer has no {self._mask.name} tensor of one image")
        difference = probe.mean_difference(mask[0], self._answer)
        if difference > probe.MAX_MEAN_DIFFERENCE:
            raise InferenceError(
                f"the probe's mask differs from the known answer by {difference:.1f} of 255 in the mean, at most "
                f"{probe.MAX_MEAN_DIFFERENCE} is accepted; {_CAUSES}"
            )

    def completed(self, timeout_s: float) -> int:
        """Return how many images the engine has finished since it started.

        Raises:
            UnavailableError: The server does not say.
        """
        try:
            statistics = self._client.get_inference_statistics(DEFAULT_PIPELINE.engine, client_timeout=timeout_s)
        except InferenceServerException as error:
            raise UnavailableError(f"the server does not report statistics: {error}") from error
        return sum(int(model.inference_count) for model in statistics.model_stats)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _input(name: str, data: bytes) -> InferInput:
    values = np.frombuffer(data, np.uint8)[None]
    tensor = InferInput(name, list(values.shape), "UINT8")
    tensor.set_data_from_numpy(values)
    return tensor
