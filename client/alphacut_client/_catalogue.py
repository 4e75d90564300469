"""From a network and a tier to the names and the size that requests need; learned from the server."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from typing import TypeAlias

from tritonclient.grpc import service_pb2

from alphacut_client._route import Route
from alphacut_client._steps import Steps, ask
from alphacut_client.models import InstalledModel, installed
from alphacut_core import tiers
from alphacut_core.contract import DEFAULT_PIPELINE, Pipeline, mask_spec
from alphacut_core.errors import ContractError, ServerError, UnknownModelError

Way: TypeAlias = Callable[[Pipeline], Steps]
"""What is done with a pipeline; it may have to be done twice."""


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

    def go(self, route: Route, way: Way) -> Steps:
        """Go a way that needs the size of a network at a tier, and return what lies at its end.

        Where server and client turn out to disagree it is asked about again, and the way gone once more if an engine of
        another size has taken that name meanwhile.

        Raises:
            UnknownModelError: The server does not serve it; the message lists what it serves.
            ContractError: The server serves nothing of Alphacut's.
        """
        believed = yield from self.pipeline(route)
        try:
            return (yield from way(believed))
        except ContractError:
            if self._fixed is not None:
                raise
            wanted = (route.model, route.mode)
            if self._known[wanted] == believed:  # nobody has asked since
                with contextlib.suppress(ContractError, ServerError):  # the first error says more
                    self._known[wanted] = yield from _ask_size(believed, route)
            if self._known[wanted] == believed:
                raise
        return (yield from way(self._known[wanted]))


def _ask_size(named: Pipeline, route: Route) -> Steps:
    question = service_pb2.ModelMetadataRequest(name=named.ensemble)
    try:
        answer = yield from ask("ModelMetadata", question, route.timeout_s)
    except ContractError as error:
        served = yield from installed(route.timeout_s)
        if not served:  # a server of somebody else's, of whose models none is a choice
            raise
        raise UnknownModelError(_not_served(route, served)) from error
    mask = mask_spec(named.size).name
    size = next((int(output.shape[-1]) for output in answer.outputs if output.name == mask), None)
    if size is None:
        raise ContractError(
            f"model {named.ensemble!r} has no output {mask}; use the client and the model repository of one release"
        )
    return dataclasses.replace(named, size=size)


def _not_served(route: Route, served: tuple[InstalledModel, ...]) -> str:
    listed = ", ".join(f"model={one.model!r} mode={one.mode!r}" for one in served)
    return (
        f"got model={route.model!r} mode={route.mode!r}; the server serves {listed}; "
        "choose one of them, or install it with `alphacut build`"
    )
