"""Errors as answers, and a declaration of each for the OpenAPI document."""

from __future__ import annotations

import math
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from alphacut_core.errors import (
    AlphacutError,
    ContractError,
    DeadlineError,
    EmptyImageError,
    ImageTooLargeError,
    InferenceError,
    InvalidOptionError,
    MissingLibraryError,
    NoSubjectError,
    OverloadedError,
    RefinementError,
    UnavailableError,
    UndecodableImageError,
    UnknownModelError,
    UnsupportedImageError,
)
from alphacut_gateway import shape
from alphacut_gateway.envelope import note_fault
from alphacut_gateway.refusals import (
    AddressError,
    BusyError,
    ForbiddenError,
    HopelessDeadlineError,
    MalformedRequestError,
    RateLimitError,
    SlowUploadError,
    UnauthorizedError,
)

IMAGE_ERRORS: tuple[type[AlphacutError], ...] = (
    EmptyImageError,
    MalformedRequestError,
    UndecodableImageError,
    UnauthorizedError,
    ForbiddenError,
    SlowUploadError,
    ImageTooLargeError,
    UnsupportedImageError,
    InvalidOptionError,
    UnknownModelError,
    NoSubjectError,
    RefinementError,
    OverloadedError,
    RateLimitError,
    ContractError,
    MissingLibraryError,
    InferenceError,
    BusyError,
    HopelessDeadlineError,
    UnavailableError,
    DeadlineError,
)
"""What a route that takes images can answer."""

URL_ERRORS: tuple[type[AlphacutError], ...] = (AddressError,)
"""What a route that takes addresses of images can answer besides."""


class Fault(BaseModel):
    """One error."""

    code: str
    message: str


class FaultAnswer(BaseModel):
    """The body of every answer that is an error."""

    error: Fault


def declared(*errors: type[AlphacutError]) -> dict[int | str, dict[str, Any]]:
    """Return FastAPI's ``responses`` for the errors that a route can answer."""
    by_status: dict[int, list[type[AlphacutError]]] = {}
    for error in dict.fromkeys(errors):
        by_status.setdefault(error.http_status, []).append(error)
    return {
        status: {
            "model": FaultAnswer,
            "description": " ".join(f"`{error.code}`: {_first_line(error)}" for error in kinds),
        }
        for status, kinds in sorted(by_status.items())
    }


def answer(error: AlphacutError, path: str) -> Response:
    """Return an error as JSON in a path's shape, with ``Retry-After`` where coming back helps."""
    return shape.error(path, error.http_status, error.code, str(error), retry_headers(error))


def retry_headers(error: AlphacutError) -> dict[str, str]:
    """Return the headers that say when to come back and how to identify oneself."""
    if error.http_status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if error.http_status not in (429, 503):
        return {}
    return {"Retry-After": str(math.ceil(getattr(error, "retry_after_s", 1))), **getattr(error, "headers", {})}


def install(app: FastAPI) -> None:
    """Answer whatever is raised in ``app`` in the shape of its path; what nobody expected is ``guard``'s."""

    @app.exception_handler(AlphacutError)
    async def ours(request: Request, error: AlphacutError) -> Response:
        note_fault(request, error.code)
        return answer(error, request.scope["path"])

    @app.exception_handler(RequestValidationError)
    async def parameters(request: Request, error: RequestValidationError) -> Response:
        note_fault(request, InvalidOptionError.code)
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        return shape.error(request.scope["path"], 422, InvalidOptionError.code, why)

    @app.exception_handler(HTTPException)
    async def routing(request: Request, error: HTTPException) -> Response:
        code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http")
        note_fault(request, code)
        return shape.error(request.scope["path"], error.status_code, code, str(error.detail), error.headers)


def _first_line(error: type[AlphacutError]) -> str:
    return (error.__doc__ or "").partition("\n")[0]
