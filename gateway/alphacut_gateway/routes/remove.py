"""``POST /remove``: an image in, a cut-out or its mask out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from alphacut_core.options import Color, Decode, Format, Options, Output
from alphacut_gateway import colors, gateway
from alphacut_gateway.faults import IMAGE_ERRORS, declared
from alphacut_gateway.refusals import MalformedRequestError
from alphacut_gateway.routes import picture
from alphacut_gateway.uploads import Upload

router = APIRouter()

_BINARY = {"type": "string", "format": "binary"}
_FORM = {"schema": {"type": "object", "required": ["file"], "properties": {"file": _BINARY}}}
BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": _FORM, "image/*": {"schema": _BINARY}}}
}
PICTURES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture. `Server-Timing` says where the time went, `X-Cache` whether the mask was known.",
        "content": {"image/png": {"schema": _BINARY}, "image/webp": {"schema": _BINARY}},
    },
    304: {"description": "The caller has it already, as If-None-Match says."},
}


@router.post("/remove", responses=PICTURES | declared(*IMAGE_ERRORS), openapi_extra=BODY, response_class=Response)
async def remove(
    request: Request,
    *,
    format: Annotated[Format, Query(description="File format of the answer.")] = "png",
    output: Annotated[Output, Query(description="The cut-out, or the mask alone.")] = "cutout",
    bg: Annotated[str | None, Query(description="Colour behind the cut-out: a name, or hexadecimal.")] = None,
    color: Annotated[Color, Query(description="Correct alpha, or rembg's premultiplied colours.")] = "straight",
    decode: Annotated[Decode, Query(description="Every pixel counts, or the JPEG decoder scales.")] = "exact",
    model: Annotated[str | None, Query(description="See /v1/models.")] = None,
    mode: Annotated[str | None, Query(description="An older name of `model`.")] = None,
) -> Response:
    """Remove the background of an image, sent as the `file` of a form or as the body itself."""
    here = gateway.of(request)
    here.check_model(model)
    here.check_model(mode)
    background = None if bg is None else colors.parse(bg)
    options = Options(output=output, color=color, decode=decode, format=format, background=background)
    async with here.upload(request) as upload:
        return await picture.respond(request, image_file(upload), options)


def image_file(upload: Upload) -> bytes:
    """Return the one image of an upload.

    Raises:
        MalformedRequestError: There is none, or it has another name.
    """
    if upload.raw is not None:
        return upload.raw
    if "file" not in upload.files:
        got = ", ".join(sorted([*upload.files, *upload.fields]))[:80] or "nothing"
        raise MalformedRequestError(f"got a form with {got}; send the image as a file named 'file'")
    return upload.files["file"]
