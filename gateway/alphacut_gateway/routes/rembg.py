"""``/api/remove`` as rembg's server has it, so that its users change an address and nothing else."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from alphacut_core.errors import InvalidOptionError, RefinementError
from alphacut_core.options import Matting, Options
from alphacut_gateway import colors, gateway, tier
from alphacut_gateway.faults import IMAGE_ERRORS, URL_ERRORS, declared
from alphacut_gateway.leaving import while_there
from alphacut_gateway.refusals import ForbiddenError
from alphacut_gateway.routes import picture
from alphacut_gateway.routes.credentials import KEY
from alphacut_gateway.routes.parameters import merged
from alphacut_gateway.routes.remove import HEADERS, PICTURES, image_file

router = APIRouter(dependencies=KEY)


class Parameters(BaseModel):
    """rembg's parameters, by its names."""

    model: str | None = Field(None, description="See /v1/models.")
    a: bool = Field(False, description="Alpha matting.")
    af: int = Field(240, ge=0, le=255, description="Alpha matting: foreground threshold.")
    ab: int = Field(10, ge=0, le=255, description="Alpha matting: background threshold.")
    ae: int = Field(10, ge=0, le=255, description="Alpha matting: erosion, in pixels.")
    om: bool = Field(False, description="Only the mask.")
    ppm: bool = Field(False, description="Smooth the mask and make it binary.")
    dc: bool = Field(False, description="Take the old background's colour out of the edge.")
    vm: bool = Field(False, description="ViTMatte; not available here.")
    bgc: str | None = Field(None, description="Background colour: red,green,blue,alpha.")
    extras: str | None = Field(None, description="JSON object; must be empty here.")

    def options(self) -> Options:
        """Return these wishes in Alphacut's words.

        Raises:
            InvalidOptionError: One of them is not available here.
        """
        self._check_extras()
        if self.vm:
            raise InvalidOptionError("got vm=true; ViTMatte is not available here; use a=true for alpha matting")
        return Options(
            output="mask" if self.om else "cutout",
            color="rembg",
            background=colors.parse_decimal(self.bgc) if self.bgc else None,
            post_process=self.ppm,
            matting=Matting(self.af, self.ab, self.ae) if self.a else None,
            decontaminate=self.dc,
        )

    def _check_extras(self) -> None:
        try:
            extras = json.loads(self.extras) if self.extras else {}
        except (ValueError, RecursionError) as error:
            raise InvalidOptionError("got extras that are not JSON; send an object, or leave them out") from error
        if extras != {}:
            raise InvalidOptionError(
                f"got extras={str(self.extras)[:40]!r}; no model here takes any, so send {{}} or leave them out"
            )


class AddressParameters(Parameters):
    """The same for an image by its address."""

    url: str = Field(description="Address of an image.")


_FIELDS = Parameters.model_json_schema()["properties"]
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}, **_FIELDS},
                }
            }
        },
    }
}


@router.post(
    "/api/remove", responses=PICTURES | declared(*IMAGE_ERRORS), openapi_extra=_BODY | HEADERS, response_class=Response
)
async def remove(request: Request, query: Annotated[Parameters, Query()]) -> Response:
    """Remove the background as rembg does, byte for byte; parameters may be form fields or in the query.

    Where rembg falls back from matting without a word, the answer says so in `X-Refinement`.
    """
    here = gateway.of(request)
    await here.admit(request, "remove")
    deadline = here.deadline(request)
    async with here.upload(request) as upload:
        wishes = merged(query, {name: text for name, text in upload.fields.items() if name in _FIELDS})
        making = _respond(request, image_file(upload), wishes)
        return await deadline.bound(while_there(request, making))


@router.get(
    "/api/remove",
    responses=PICTURES | declared(*IMAGE_ERRORS, *URL_ERRORS),
    openapi_extra=HEADERS,
    response_class=Response,
)
async def remove_from_address(request: Request, query: Annotated[AddressParameters, Query()]) -> Response:
    """Fetch an image and do the same with it, from hosts that the gateway's settings name; they name none at first."""
    here = gateway.of(request)
    await here.admit(request, "remove")
    deadline = here.deadline(request)
    if here.fetcher.allowed.nothing:
        raise ForbiddenError(
            "fetching images from addresses is switched off here, since it lets callers reach this machine's network; "
            "POST the image as the form's file instead"
        )
    here.answer_bytes.check()
    with here.body_bytes.hold(here.settings.max_bytes):
        fetching = here.fetcher.get(query.url, here.settings.max_bytes)
        data = await deadline.bound(while_there(request, fetching))
        return await deadline.bound(while_there(request, _respond(request, data, query)))


async def _respond(request: Request, data: bytes, wishes: Parameters) -> Response:
    options, asked = wishes.options(), tier.parse(wishes.model, None)
    try:
        return await picture.respond(request, data, options, asked)
    except RefinementError as error:
        if options.matting is None:
            raise
        fallback = dataclasses.replace(options, matting=None, decontaminate=True)  # rembg's own
        response = await picture.respond(request, data, fallback, asked)
        response.headers["X-Refinement"] = f"decontaminate; {error}".encode("ascii", "replace").decode()
        return response
