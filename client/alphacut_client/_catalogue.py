"""From a network and a tier to the names and the size that requests need; learned from the server once."""

from __future__ import annotations

import dataclasses

from tritonclient.grpc import service_pb2

from alphacut_client._route import Route
from alphacut_client._steps import Steps, ask
from alphacut_client.models import InstalledModel, installed
from alphacut_core import tiers
from alphacut_core.contract import DEFAULT_PIPELINE, Pipeline, mask_spec
from alphacut_core.errors import ContractError, UnknownModelError


class Catalogue:
    """What one client knows of its server's pipelines; threads and tasks share it.

    Args:
        fixed: The pipeline to use whatever a call names, or None.
    """

    def __init__(self, fixed: Pipeline | None) -> None:
        self._fixed = fixed
        self._known = {(tiers.DEFAULT_MODEL, "full"): DEFAULT_PIPELINE}

    def pipeline(self, route: Route) -> Steps:
        """Return the pipeline of a network at a tier; any but the default one is asked for the first time.

        Raises:
            UnknownModelError: The server does not serve it; the message lists what it serves.
        """
        if self._fixed is not None:
            return self._fixed
        wanted = (route.model, route.mode)
        if wanted not in self._known:
            self._known[wanted] = yield from _ask_size(tiers.pipeline(*wanted), route)
        return self._known[wanted]


def _ask_size(named: Pipeline, route: Route) -> Steps:
    question = service_pb2.ModelMetadataRequest(name=named.ensemble)
    try:
        answer = yield from ask("ModelMetadata", question, route.timeout_s)
    except ContractError as error:
        served = yield from installed(route.timeout_s)
        raise UnknownModelError(_not_served(route, served)) from error
    mask = mask_spec(named.size).name
    size = next((int(output.shape[-1]) for output in answer.outputs if output.name == mask), None)
    if size is None:
        raise ContractError(
            f"model {named.ensemble!r} has no output {mask}; use the client and the model repository of one release"
        )
    return dataclasses.replace(named, size=size)


def _not_served(route: Route, served: tuple[InstalledModel, ...]) -> str:
    listed = ", ".join(f"model={one.model!r} mode={one.mode!r}" for one in served) or "nothing"
    return (
        f"got model={route.model!r} mode={route.mode!r}; the server serves {listed}; "
        "choose one of them, or install it with `alphacut build`"
    )
