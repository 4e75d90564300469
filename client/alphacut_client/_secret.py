"""Tokens and API keys: what they may be, and to whom they are sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alphacut_client._target import is_local

Secret = str | Callable[[], str]
"""A text, or what returns it; asked anew for every attempt, so that it may expire."""


def tell(secret: Secret) -> str:
    """Return the text of a secret.

    Raises:
        ValueError: It cannot be a header's value.
    """
    if isinstance(secret, str):  # checked with the settings
        return secret
    text = secret()
    check_text(text)
    return text


def check_text(text: object) -> None:
    """Refuse a token or API key that cannot be a header's value; the message does not tell it.

    Raises:
        ValueError: It is no text of printable ASCII characters.
    """
    if not (isinstance(text, str) and text.isascii() and text.isprintable()):
        raise ValueError(
            "got a token or API key that cannot be sent; allowed are texts of printable ASCII characters, so strip the "
            "line break that a file ends with"
        )


def check_way(servers: Sequence[str]) -> None:
    """Refuse to show secrets to a network.

    Raises:
        ValueError: A server that is, or may be, another machine.
    """
    for server in servers:
        if not is_local(server):
            raise ValueError(
                f"got a token or API key for {server}, which everybody on the way could read; give tls=True or "
                "tls=Tls(...), or plaintext_secrets=True where the way itself is encrypted"
            )
