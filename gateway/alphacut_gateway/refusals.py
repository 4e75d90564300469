"""Requests that the gateway itself turns down: leaves of core's tree of errors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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


class AddressError(InputError):
    """An address that the caller named may not be called, or gives nothing.

    Attributes:
        malformed: Whether it is no address of http or https at all.
    """

    code = "address"

    def __init__(self, message: str, *, malformed: bool = False) -> None:
        super().__init__(message)
        self.malformed = malformed


class BusyError(ServerError):
    """As much work as this gateway takes on is under way; the same request succeeds a little later."""

    code = "busy"
    grpc_status = "UNAVAILABLE"
    http_status = 503


class RateLimitError(ServerError):
    """One caller's allowance is used up.

    Attributes:
        retry_after_s: Seconds until the request fits into the allowance.
        headers: What tells the caller how much is left.
    """

    code = "rate-limit"
    grpc_status = "RESOURCE_EXHAUSTED"
    http_status = 429
    retry_after_s: int = 1
    headers: Mapping[str, str] = MappingProxyType({})


class HopelessDeadlineError(ServerError):
    """The caller's deadline is shorter than requests take at present; nothing has been begun."""

    code = "deadline-hopeless"
    grpc_status = "UNAVAILABLE"
    http_status = 503


class JobUnknownError(InputError):
    """There is no such job of this caller, or no longer."""

    code = "job-unknown"
    grpc_status = "NOT_FOUND"
    http_status = 404


class JobUnfinishedError(InputError):
    """The job has no result yet."""

    code = "job-unfinished"
    http_status = 409


class JobReusedError(InputError):
    """The Idempotency-Key belongs to another request."""

    code = "idempotency-key-reused"
    http_status = 422
