"""``/v1.0/removebg`` and ``/v1.0/account`` as remove.bg has them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

from fastapi import APIRouter, Request
from PIL import Image
from starlette.responses import JSONResponse, Response

from alphacut_core import codec
from alphacut_core.errors import AlphacutError, InputError
from alphacut_gateway import allowance, deadline, gateway, keys
from alphacut_gateway.envelope import note_fault
from alphacut_gateway.leaving import while_there
from alphacut_gateway.refusals import AddressError
from alphacut_gateway.removebg import acceptance, composition, files, refusal, resolution, wishes
from alphacut_gateway.removebg.composition import Composition
from alphacut_gateway.removebg.refusal import RemoveBgError
from alphacut_gateway.removebg.wishes import Wishes
from alphacut_gateway.routes.credentials import KEY
from alphacut_gateway.tier import Tier
from alphacut_gateway.uploads import Upload

router = APIRouter(prefix="/v1.0", dependencies=KEY)

_SOURCES = ("image_file", "image_file_b64", "image_url")
_MIN_CONFIDENCE = 0.05
_BINARY = {"type": "string", "format": "binary"}
_FIELDS = {
    **{name: _BINARY for name in ("image_file", "bg_image_file")},
    **{name: {"type": "string"} for name in ("image_file_b64", "image_url", "bg_image_url")},
    **{name: {"type": "string"} for name in ("roi", "crop_margin", "scale", "position", "bg_color")},
    **{name: {"type": "boolean"} for name in ("crop", "add_shadow", "semitransparency")},
    "size": {"type": "string", "enum": resolution.NAMES},
    "type": {"type": "string", "enum": wishes.TYPES},
    "type_level": {"type": "string", "enum": wishes.TYPE_LEVELS},
    "format": {"type": "string", "enum": wishes.FORMATS},
    "channels": {"type": "string", "enum": wishes.CHANNELS},
}
_FORM = {"schema": {"type": "object", "properties": _FIELDS}}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": dict.fromkeys(
            ("multipart/form-data", "application/x-www-form-urlencoded", "application/json"), _FORM
        ),
    },
    "parameters": [deadline.PARAMETER],
}
_PICTURES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture, or JSON with `result_b64` where `Accept` likes `application/json` better.",
        "content": {kind: {"schema": _BINARY} for kind in files.MEDIA_TYPES.values()} | {"application/json": {}},
    }
}


@router.post("/removebg", response_class=Response, responses=_PICTURES | refusal.DECLARED, openapi_extra=_BODY)
async def removebg(request: Request) -> Response:
    """Remove the background as remove.bg's API does; see its documentation for parameters and errors."""
    try:
        return await _removebg(request, await _caller(request))
    except AlphacutError as error:
        note_fault(request, error.code)
        return refusal.answer(error)


@router.get(
    "/account", response_class=JSONResponse, responses={status: refusal.DECLARED[status] for status in (403, 429)}
)
async def account(request: Request) -> Response:
    """Tell a caller what is left; nothing here costs credits, so all calls are free ones."""
    here = gateway.of(request)
    try:
        caller = await _caller(request)
    except AlphacutError as error:
        note_fault(request, error.code)
        return refusal.answer(error)
    left = await here.megapixels.standing(caller, here.settings.megapixels_per_minute)
    nothing = {"total": 0, "subscription": 0, "payg": 0, "enterprise": 0}
    api = {"free_calls": left.remaining, "sizes": "all"}
    return JSONResponse({"data": {"attributes": {"credits": nothing, "api": api}}})


async def _removebg(request: Request, caller: str) -> Response:
    here = gateway.of(request)
    await here.megapixels.charge(caller, 0, here.settings.megapixels_per_minute)
    allowed = here.deadline(request)
    async with here.upload(request, text_forms=True) as upload:
        return await allowed.bound(while_there(request, _cut_out(request, caller, upload)))


async def _cut_out(request: Request, caller: str, upload: Upload) -> Response:
    here = gateway.of(request)
    tier = await here.tier(Tier())
    stages = here.stages()
    data = await _image(here, upload)
    asked = wishes.parse(upload.fields, has_background_image=bool(upload.files.get("bg_image_file")))
    behind = await _background_file(here, upload, asked)
    header = await here.cutting.threads.run(codec.read_header, data, here.cutting.limits)
    cost = resolution.cost(header.width, header.height)
    left = await here.megapixels.charge(caller, cost, here.settings.megapixels_per_minute)
    async with (
        _background(here, behind) as background,
        here.cutting.matte(data, tier, "exact", stages) as matte,
    ):
        here.metrics.masks.labels(matte.found).inc()
        if matte.prediction.confidence < _MIN_CONFIDENCE:
            raise RemoveBgError(
                "unknown_foreground", "the network found nothing in this picture that it calls a subject"
            )
        with stages.timed("render"):
            made = await here.cutting.threads.run(
                composition.compose, matte.picture, matte.prediction.mask, asked, background
            )
        with stages.timed("encode"):
            content = await here.cutting.threads.run(files.encode, made.picture, asked.file_format)
    headers = _headers(made, asked) | allowance.headers(left) | {"Server-Timing": stages.server_timing()}
    return _answer(request, content, made, asked, headers)


async def _caller(request: Request) -> str:
    if keys.presented(request.headers) is None:
        raise keys.missing_key()
    return (await gateway.of(request).admit(request, "remove")).digest


async def _image(here: gateway.Gateway, upload: Upload) -> bytes:
    """Return the one image, from whichever source it comes."""
    given = [name for name in _SOURCES if upload.fields.get(name) or upload.files.get(name)]
    if not given:
        raise RemoveBgError("missing_source", f"send one of {', '.join(_SOURCES)}")
    if len(given) > 1:
        raise RemoveBgError("multiple_sources", f"got {' and '.join(given)}; send one of them")
    if given == ["image_url"]:
        address = upload.fields.get("image_url", "")
        return await _fetched(here, address, "invalid_image_url", "failed_image_download")
    if given == ["image_file"]:
        if "image_file" not in upload.files:
            raise RemoveBgError(
                "failed_to_read_image", "got image_file as text; send it as a file in multipart/form-data"
            )
        return upload.files["image_file"]
    # The tool `base64` and MIME break it into lines. Blanks stay wrong: in a form each was a plus sign.
    text = upload.fields.get("image_file_b64", "").replace("\n", "").replace("\r", "")
    try:
        return base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RemoveBgError("failed_to_read_image", f"got image_file_b64 that is not base64 ({error})") from error


async def _fetched(here: gateway.Gateway, address: str, invalid: str, failed: str) -> bytes:
    if here.fetcher.allowed.nothing:
        raise wishes.check_address(address, invalid, failed)
    try:
        return await here.fetcher.get(address, here.settings.max_bytes)
    except AddressError as error:
        raise RemoveBgError(invalid if error.malformed else failed, str(error)) from error


async def _background_file(here: gateway.Gateway, upload: Upload, asked: Wishes) -> bytes | None:
    if asked.background_address:
        return await _fetched(here, asked.background_address, "invalid_bg_image_url", "failed_bg_download")
    return upload.files.get("bg_image_file")


@asynccontextmanager
async def _background(here: gateway.Gateway, data: bytes | None) -> AsyncIterator[Image.Image | None]:
    """Decode the picture that goes behind the subject, if any; its megapixels are held while the block runs."""
    if not data:
        yield None
        return
    with ExitStack() as stack:
        try:
            header = await here.cutting.threads.run(codec.read_header, data, here.cutting.limits)
            stack.enter_context(here.cutting.megapixels.hold(header.width * header.height / 1e6))
            background = await here.cutting.threads.run(codec.decode, data, here.cutting.limits)
        except InputError as error:
            raise RemoveBgError("failed_to_read_bg_image", str(error)) from error
        yield background


def _headers(made: Composition, asked: Wishes) -> dict[str, str]:
    left, top, right, bottom = made.subject
    headers = {
        "X-Width": str(made.picture.width),
        "X-Height": str(made.picture.height),
        "X-Max-Width": str(made.max_width),
        "X-Max-Height": str(made.max_height),
        "X-Credits-Charged": "0.0",
        "X-Foreground-Top": str(top),
        "X-Foreground-Left": str(left),
        "X-Foreground-Width": str(right - left),
        "X-Foreground-Height": str(bottom - top),
    }
    if asked.type_level != "none":
        headers["X-Type"] = "other"  # what the subject is, nobody looked
    if asked.ignored:
        headers["X-Ignored"] = ", ".join(asked.ignored)
    return headers


def _answer(request: Request, content: bytes, made: Composition, asked: Wishes, headers: dict[str, str]) -> Response:
    media_type = files.MEDIA_TYPES[asked.file_format]
    if not acceptance.wants_json(", ".join(request.headers.getlist("accept")), media_type):
        return Response(content, media_type=media_type, headers=headers)
    left, top, right, bottom = made.subject
    data: dict[str, Any] = {
        "result_b64": base64.b64encode(content).decode(),
        "foreground_top": top,
        "foreground_left": left,
        "foreground_width": right - left,
        "foreground_height": bottom - top,
    }
    return JSONResponse({"data": data}, headers=headers)
