"""remove.bg's errors: its codes, and its shape of JSON."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from alphacut_core.errors import (
    AlphacutError,
    ImageTooLargeError,
    InputError,
    UnsupportedImageError,
)
from alphacut_gateway import shape
from alphacut_gateway.faults import retry_headers
from alphacut_gateway.refusals import ForbiddenError, MalformedRequestError, SlowUploadError, UnauthorizedError

TITLES = {
    "missing_source": "No image given",
    "multiple_sources": "Multiple image sources given: Please provide either the image_url, image_file or "
    "image_file_b64",
    "invalid_image_url": "Invalid image_url parameter given",
    "failed_image_download": "Failed to download the image from the image_url",
    "failed_to_read_image": "Failed to read image",
    "invalid_file_type": "Unsupported image file type",
    "file_too_large": "File size too large",
    "invalid_dimensions": "Image dimensions are not valid",
    "resolution_too_high": "Image resolution too high",
    "invalid_size": "Invalid size parameter given",
    "invalid_type": "Invalid type parameter given",
    "invalid_type_level": "Invalid type_level parameter given",
    "invalid_format": "Invalid format parameter given",
    "invalid_channels": "Invalid channels parameter given",
    "invalid_roi": "Invalid roi parameter given",
    "roi_exceeds_bounds": "Region of interest exceeds image boundaries",
    "roi_region_empty": "Region of interest is empty",
    "invalid_crop": "Invalid crop parameter given",
    "invalid_crop_margin": "Invalid crop_margin parameter given",
    "invalid_scale": "Invalid scale parameter given",
    "invalid_position": "Invalid position parameter given",
    "invalid_bg_color": "Invalid bg_color parameter given",
    "invalid_bg_image_url": "Invalid bg_image_url parameter given",
    "failed_bg_download": "Failed to download the image from the bg_image_url",
    "failed_to_read_bg_image": "Failed to read background image",
    "multiple_bg_sources": "Multiple background sources given",
    "invalid_semitransparency": "Invalid semitransparency parameter given",
    "invalid_add_shadow": "Invalid add_shadow parameter given",
    "unknown_foreground": "Could not identify foreground in image. For details and recommendations see "
    "https://www.remove.bg/supported-images.",
}
"""Title of every error that a request's own content can cause, by code."""


class RemoveBgError(InputError):
    """A request that remove.bg's contract answers with one of its codes.

    Args:
        contract_code: One of ``TITLES``.
        detail: What was got, what is allowed, what to do next.
    """

    code = "removebg"

    def __init__(self, contract_code: str, detail: str) -> None:
        super().__init__(detail)
        self.contract_code = contract_code
        self.title = TITLES[contract_code]


def answer(error: AlphacutError) -> Response:
    """Return an error in remove.bg's shape."""
    status, title, code = _described(error)
    return shape.removebg(status, title, code, str(error), retry_headers(error))


def _described(error: AlphacutError) -> tuple[int, str, str]:
    if isinstance(error, RemoveBgError):
        return 400, error.title, error.contract_code
    if isinstance(error, (UnauthorizedError, ForbiddenError)):
        missing = isinstance(error, UnauthorizedError) and error.missing
        return 403, "Missing API Key" if missing else "API Key invalid", "auth_failed"
    if isinstance(error, (MalformedRequestError, SlowUploadError)):
        return error.http_status, "Malformed request", "bad_request"
    if isinstance(error, InputError):
        code = _image_code(error)
        return 400, TITLES[code], code
    if error.http_status == 429:
        return 429, "Rate limit exceeded", "rate_limit_exceeded"
    return error.http_status, "Service unavailable", error.code.replace("-", "_")


def _image_code(error: InputError) -> str:
    if isinstance(error, ImageTooLargeError):
        return "resolution_too_high" if "pixels" in str(error) else "file_too_large"
    if isinstance(error, UnsupportedImageError):
        return "invalid_file_type"
    return "failed_to_read_image"


class Fault(BaseModel):
    """One error."""

    title: str
    code: str
    detail: str


class FaultAnswer(BaseModel):
    """The body of every answer of these routes that is an error."""

    errors: list[Fault]


DECLARED: dict[int | str, dict[str, Any]] = {
    status: {"model": FaultAnswer, "description": description}
    for status, description in {
        400: "Parameters or image are not acceptable; code is one of: " + ", ".join(f"`{code}`" for code in TITLES),
        403: "`auth_failed`: the API key is missing or not accepted.",
        408: "`bad_request`: the body did not arrive in time.",
        429: "`rate_limit_exceeded`: the minute's megapixels are used up; `Retry-After` says when to come back.",
        502: "The server behind the gateway failed on this image.",
        503: "Too much is under way, or the server behind the gateway is away; `Retry-After` says when to come back.",
        504: "The server behind the gateway did not answer in time.",
    }.items()
}
"""FastAPI's ``responses`` for these routes."""
