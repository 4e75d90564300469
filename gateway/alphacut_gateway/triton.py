"""The Triton behind the gateway: masks from any network and tier that it serves, and what it says of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType

import grpc
from PIL import Image
from tritonclient.grpc import service_pb2, service_pb2_grpc

from alphacut_client import AsyncClient, Health, Prediction
from alphacut_core import tiers
from alphacut_core.contract import DEFAULT_PIPELINE, Pipeline
from alphacut_core.errors import UnavailableError
from alphacut_core.limits import Limits
from alphacut_core.tiers import DEFAULT_SIZE, MODES, Mode
from alphacut_gateway.settings import Settings
from alphacut_gateway.tier import Tier


class Triton:
    """A connection for one event loop; create it where the loop runs.

    Args:
        settings: Where Triton is and how long to wait for it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients: dict[Pipeline, AsyncClient] = {}
        self._native_sizes: dict[str, int] = {}
        self._channel = grpc.aio.insecure_channel(settings.triton_url)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    async def __aenter__(self) -> Triton:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(client.close() for client in self._clients.values()))
        await self._channel.close()

    async def predict(self, image: Image.Image, *, model: str, mode: Mode) -> Prediction:
        """Return mask and confidence of a picture."""
        pipeline = tiers.pipeline(model, mode, self._native_sizes.get(model, DEFAULT_SIZE))
        return await self._client(pipeline).predict(image)

    async def health(self) -> Health:
        """Ask for a real mask."""
        return await self._client(DEFAULT_PIPELINE).health()

    async def models(self) -> Mapping[Tier, Mapping[str, str]]:
        """Return what is served and what the configuration of each engine says of it.

        Raises:
            UnavailableError: Nobody answers.
        """
        try:
            index = await self._ask("RepositoryIndex", service_pb2.RepositoryIndexRequest(ready=True))
            names = {model.name for model in index.models}
            served: dict[Tier, Mapping[str, str]] = {}
            for name in sorted(names):
                if name.startswith(DEFAULT_PIPELINE.ensemble):
                    ensemble = await self._parameters(name)
                    engine = ensemble.get("engine", DEFAULT_PIPELINE.engine)
                    tier = _tier(ensemble)
                    served[tier] = {**ensemble, **(await self._parameters(engine) if engine in names else {})}
                    self._native_sizes[tier.model] = int(served[tier].get("native_size", DEFAULT_SIZE))
        except grpc.aio.AioRpcError as error:
            raise UnavailableError(f"Triton does not say what it serves ({error.code().name})") from error
        return served

    async def _parameters(self, model: str) -> dict[str, str]:
        answer = await self._ask("ModelConfig", service_pb2.ModelConfigRequest(name=model))
        return {name: value.string_value for name, value in answer.config.parameters.items()}

    async def _ask(self, method: str, request: object) -> service_pb2.ModelConfigResponse:
        return await getattr(self._stub, method)(request, timeout=self._settings.timeout_s)

    def _client(self, pipeline: Pipeline) -> AsyncClient:
        if pipeline not in self._clients:
            self._clients[pipeline] = AsyncClient(
                self._settings.triton_url,
                limits=Limits(max_bytes=self._settings.max_bytes, max_pixels=self._settings.max_pixels),
                timeout_s=self._settings.timeout_s,
                retry_for_s=self._settings.retry_for_s,
                pipeline=pipeline,
            )
        return self._clients[pipeline]


def _tier(parameters: Mapping[str, str]) -> Tier:
    told = parameters.get("tier", "full")
    mode: Mode = next((mode for mode in MODES if mode == told), "full")
    return Tier(parameters.get("model", tiers.DEFAULT_MODEL), mode)
