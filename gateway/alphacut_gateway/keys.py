"""API keys: only their hashes are configured, and comparing takes the same time whichever is wrong."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from alphacut_gateway.refusals import ForbiddenError, UnauthorizedError

Scope = Literal["remove", "jobs", "admin"]
"""``remove`` sends images and waits, ``jobs`` leaves them to be fetched later, ``admin`` reads the metrics."""

ANONYMOUS = "anonymous"

_SCOPES: tuple[Scope, ...] = get_args(Scope)
_DEFAULT_SCOPES: frozenset[Scope] = frozenset({"remove", "jobs"})
_ENTRY = re.compile(r"(?P<digest>[0-9a-f]{64})(?::(?P<scopes>[a-z+]*)(?::(?P<per_minute>[0-9]{1,9}))?)?")
_HEADER = "x-api-key"
_BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class Key:
    """What one caller may do.

    Attributes:
        digest: SHA-256 of the key, in hexadecimal, which may be kept; ``anonymous`` where there is no key.
        scopes: What it is good for.
        per_minute: Requests it may send in a minute; None for what the settings say.
    """

    digest: str
    scopes: frozenset[Scope]
    per_minute: int | None


class Keys:
    """The accepted keys.

    Args:
        entries: ``HASH``, ``HASH:SCOPES`` or ``HASH:SCOPES:PER_MINUTE`` of each: SHA-256 in hexadecimal, scopes
            with + between them (none named: remove+jobs). None at all accepts every key, and needs none.

    Raises:
        ValueError: An entry is something else.
    """

    def __init__(self, entries: tuple[str, ...]) -> None:
        self._keys = tuple(_entry(number, text) for number, text in enumerate(entries, 1))

    @property
    def open(self) -> bool:
        """Whether anybody is let in."""
        return not self._keys

    def check(self, headers: Mapping[str, str], scope: Scope) -> Key:
        """Return who is calling.

        Raises:
            UnauthorizedError: Keys are configured, and the one given is none of them or missing.
            ForbiddenError: The key is accepted, but not for this.
        """
        given = presented(headers)
        if given is None:
            if self.open:
                return Key(ANONYMOUS, frozenset(_SCOPES), None)
            raise missing_key()
        digest = hashlib.sha256(given.encode("utf-8", "surrogateescape")).hexdigest()
        if self.open:
            return Key(digest, frozenset(_SCOPES), None)
        # All of them, so that the time says nothing about which came close.
        matching = [key for key in self._keys if hmac.compare_digest(digest, key.digest)]
        if not matching:
            raise UnauthorizedError("got an API key that is not accepted here; check it, or ask for another")
        if scope not in matching[0].scopes:
            good_for = " and ".join(sorted(matching[0].scopes))
            raise ForbiddenError(f"got an API key for {good_for}; this needs one for {scope}")
        return matching[0]


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


def _entry(number: int, text: str) -> Key:
    found = _ENTRY.fullmatch(text)
    # The text is not repeated: somebody may have configured the key itself.
    if found is None:
        raise ValueError(
            f"API key hash {number} is not 64 hexadecimal digits in lower case, perhaps with :SCOPES:PER_MINUTE "
            "behind it; make one with: printf %s KEY | sha256sum"
        )
    named = frozenset(found["scopes"].split("+")) if found["scopes"] else _DEFAULT_SCOPES
    scopes = frozenset(scope for scope in _SCOPES if scope in named)
    if len(scopes) != len(named):
        raise ValueError(f"API key hash {number} has unknown scopes; known are {', '.join(_SCOPES)}")
    return Key(found["digest"], scopes, int(found["per_minute"]) if found["per_minute"] else None)
