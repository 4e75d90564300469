"""The real client over gRPC.

The module that starts the process must have called ``grpc.experimental.gevent.init_gevent``: without it one waiting
call stops all greenlets.
"""

from __future__ import annotations

from alphacut_client import Client
from alphacut_core import steps, tiers
from alphacut_core.errors import AlphacutError
from alphacut_core.geometry import Pixels
from alphacut_core.limits import DEFAULT_LIMITS
from alphacut_core.options import Decode, Options
from alphacut_core.tiers import Mode
from alphacut_loadtest.generator.outcome import Outcome, of_error
from alphacut_loadtest.generator.way import Reply, Way
from alphacut_loadtest.traffic.corpus import Ask
from alphacut_loadtest.traffic.mix import RENDERED_FORMAT, Answer


class GrpcWay(Way):
    """Files go to the ensemble as they are, pixels to the engine. The client's own work around that is left out.

    Args:
        url: Host and port of Triton, with or without ``grpc://``.
        timeout_s: Deadline of one request; nothing is repeated.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url.removeprefix("grpc://")
        self._timeout_s = timeout_s
        self._clients: dict[tuple[Mode, Answer], Client] = {}
        self._squares: dict[tuple[str, Mode, Decode], Pixels] = {}

    def send(self, ask: Ask) -> Reply:
        """Ask the ensemble, or the engine, of the request's tier."""
        client = self._client(ask.mode, ask.answer)
        try:
            if ask.upload == "pixels":
                return Reply(Outcome.ANSWERED, client.predict(self._square(ask)).mask.nbytes)
            if ask.answer == "mask":
                return Reply(Outcome.ANSWERED, client.predict(ask.data, decode=ask.decode).mask.nbytes)
            return Reply(Outcome.ANSWERED, len(client.remove(ask.data, format=RENDERED_FORMAT, decode=ask.decode)))
        except AlphacutError as error:
            return Reply(of_error(error), 0, str(error))

    def close(self) -> None:
        """Close all clients; Locust would never end with an open channel."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _square(self, ask: Ask) -> Pixels:
        """Return what the network sees of a picture, made when it is first sent."""
        key = (ask.file, ask.mode, ask.decode)
        if key not in self._squares:
            size = tiers.pipeline(mode=ask.mode).size
            self._squares[key] = steps.preprocess(ask.data, Options(decode=ask.decode), size, DEFAULT_LIMITS)
        return self._squares[key]

    def _client(self, mode: Mode, answer: Answer) -> Client:
        known = self._clients.get((mode, answer))
        if known is None:
            known = self._clients[mode, answer] = Client(
                self._url,
                timeout_s=self._timeout_s,
                retry_for_s=0,
                render_on="client" if answer == "mask" else "server",
                pipeline=tiers.pipeline(mode=mode),
            )
        return known
