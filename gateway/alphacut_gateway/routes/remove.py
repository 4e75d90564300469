"""``POST /remove``: an image in, a cut-out or its mask out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from alphacut_gateway import deadline, etag, gateway, media
from alphacut_gateway.faults import IMAGE_ERRORS, declared
from alphacut_gateway.leaving import while_there
from alphacut_gateway.refusals import MalformedRequestError
from alphacut_gateway.routes import picture
from alphacut_gateway.routes.credentials import KEY
from alphacut_gateway.routes.parameters import CutoutParameters, merged
from alphacut_gateway.uploads import Upload

router = APIRouter(dependencies=KEY)

BINARY = {"type": "string", "format": "binary"}
_FORM = {"schema": {"type": "object", "required": ["file"], "properties": {"file": BINARY}}}
BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": _FORM, "image/*": {"schema": BINARY}}}
}
HEADERS: dict[str, Any] = {"parameters": [deadline.PARAMETER, etag.PARAMETER]}
PICTURES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture. `Server-Timing` says where the time went, `X-Cache` whether the mask was known, "
        "`X-Alphacut-Mode` which tier it is from, with `; requested=` where load made it a smaller one.",
        "content": {kind: {"schema": BINARY} for kind in media.TYPES.values()},
    },
    304: {"description": "The caller has it already, as If-None-Match says."},
}


@router.post(
    "/remove", responses=PICTURES | declared(*IMAGE_ERRORS), openapi_extra=BODY | HEADERS, response_class=Response
)
async def remove(request: Request, query: Annotated[CutoutParameters, Query()]) -> Response:
    """Remove the background of an image, sent as the `file` of a form or as the body itself.

    Parameters may be in the query or fields of the form.
    `X-Request-Timeout-Ms` says how long the answer is of use: what cannot be made in that time is refused at once.
    """
    here = gateway.of(request)
    await here.admit(request, "remove")
    allowed = here.deadline(request)
    async with here.upload(request) as upload:
        data, wishes = image_file(upload), merged(query, upload.fields)
        making = picture.respond(request, data, wishes.options(), wishes.tier())
        return await allowed.bound(while_there(request, making))


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
