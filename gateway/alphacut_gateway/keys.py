"""API keys: only their hashes are configured, and comparing takes the same time whichever is wrong."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from alphacut_gateway.refusals import UnauthorizedError

_HEADER = "x-api-key"
_BEARER = "bearer "


class Keys:
    """The accepted keys.

    Args:
        hashes: SHA-256 of each in hexadecimal; none accepts every key and none at all.
    """

    def __init__(self, hashes: tuple[str, ...]) -> None:
        self._hashes = hashes

    @property
    def open(self) -> bool:
        """Whether anybody is let in."""
        return not self._hashes

    def check(self, headers: Mapping[str, str]) -> str:
        """Return who is calling, as a hash that may be kept; ``anonymous`` where no key is needed or given.

        Raises:
            UnauthorizedError: Keys are configured, and the one given is none of them or missing.
        """
        key = presented(headers)
        if key is None:
            if self.open:
                return "anonymous"
            raise missing_key()
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
        if self.open:
            return digest
        # All of them, so that the time says nothing about which came close.
        if not any([hmac.compare_digest(digest, accepted) for accepted in self._hashes]):
            raise UnauthorizedError("got an API key that is not accepted here; check it, or ask for another")
        return digest


def presented(headers: Mapping[str, str]) -> str | None:
    """Return the key of a request, from ``X-API-Key`` or ``Authorization: Bearer``; None if there is none."""
    key = headers.get(_HEADER, "")
    authorization = headers.get("authorization", "")
    if not key and authorization.lower().startswith(_BEARER):
        key = authorization[len(_BEARER) :].strip()
    return key or None


def missing_key() -> UnauthorizedError:
    """Return the error of a request without a key."""
    error = UnauthorizedError("got no API key; send one in the X-API-Key header")
    error.missing = True
    return error
