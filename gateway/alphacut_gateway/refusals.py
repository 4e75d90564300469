"""Requests that the gateway itself turns down: leaves of core's tree of errors."""

from __future__ import annotations

from alphacut_core.errors import AlphacutError, InputError, ServerError


class MalformedRequestError(InputError):
    """The body is not what its headers say, or lacks what the route needs."""

    code = "request-malformed"


class SlowUploadError(InputError):
    """The body did not arrive in time."""

    code = "upload-slow"
    http_status = 408


class UnauthorizedError(AlphacutError):
    """The API key is missing or not one of those configured.

    Attributes:
        missing: Whether there was none at all.
    """

    code = "unauthorized"
    grpc_status = "UNAUTHENTICATED"
    http_status = 401
    missing: bool = False


class ForbiddenError(AlphacutError):
    """What was asked for is switched off here."""

    code = "forbidden"
    grpc_status = "PERMISSION_DENIED"
    http_status = 403


class BusyError(ServerError):
    """As much work as this gateway takes on is under way; the same request succeeds a little later."""

    code = "busy"
    grpc_status = "UNAVAILABLE"
    http_status = 503


class RateLimitError(ServerError):
    """One caller's allowance is used up.

    Attributes:
        retry_after_s: Seconds until the request fits into the allowance.
    """

    code = "rate-limit"
    grpc_status = "RESOURCE_EXHAUSTED"
    http_status = 429
    retry_after_s: int = 1
