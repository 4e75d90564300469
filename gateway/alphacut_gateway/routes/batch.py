"""``POST /v1/batch``: many images in, a zip out that grows while they are made."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from alphacut_gateway import gateway
from alphacut_gateway.batch import images
from alphacut_gateway.batch.working import Working
from alphacut_gateway.faults import IMAGE_ERRORS, declared
from alphacut_gateway.routes.credentials import KEY
from alphacut_gateway.routes.parameters import CutoutParameters, merged
from alphacut_gateway.routes.remove import BINARY

router = APIRouter(dependencies=KEY)

_FORM = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "array", "items": BINARY, "minItems": 1}},
    }
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": _FORM, "application/zip": {"schema": BINARY}},
    }
}
_ZIP: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A zip of the answers in the order in which they were finished, and `manifest.json`, which "
        "names the file of every image, or its error.",
        "content": {"application/zip": {"schema": BINARY}},
    }
}


@router.post("/v1/batch", responses=_ZIP | declared(*IMAGE_ERRORS), openapi_extra=_BODY, response_class=Response)
async def batch(request: Request, query: Annotated[CutoutParameters, Query()]) -> Response:
    """Remove the backgrounds of many images, sent as files of a form or in a zip.

    One that fails costs only itself. A batch is refused whole, before any image is looked at, if its names are
    dangerous, or there are too many images, or they would be too large when unpacked.
    """
    here = gateway.of(request)
    await here.admit(request, "remove")
    settings = here.settings
    async with AsyncExitStack() as stack:
        upload = await stack.enter_async_context(
            here.upload(request, max_bytes=settings.batch_bytes, max_many=settings.batch_images)
        )
        wishes = merged(query, upload.fields)
        options, tier = wishes.options(), await here.tier(wishes.tier())
        pictures = await here.cutting.threads.run(images.of_upload, upload, settings.batch_images, settings.max_bytes)

        async def cut(content: bytes) -> bytes:
            stages = here.stages()
            async with here.cutting.matte(content, tier, options.decode, stages) as matte:
                here.metrics.masks.labels(matte.found).inc()
                rendered = await here.cutting.render(matte, options, stages)
                return await here.cutting.encode(rendered, options, stages)

        working = Working(
            cut,
            unpack=here.cutting.threads.run,
            keep=here.answer_bytes.count,
            n_at_once=2 * settings.n_threads,
            patience_s=settings.timeout_s,
        )
        # The upload is held until the answer has been sent.
        held = stack.pop_all()
    return _Zipped(working.zipped(pictures, options.format), held)


class _Zipped(StreamingResponse):
    """A zip that is made while it is sent; what it needs is given back however that ends."""

    def __init__(self, chunks: AsyncGenerator[bytes, None], held: AsyncExitStack) -> None:
        super().__init__(chunks, media_type="application/zip")
        self._chunks = chunks
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held, aclosing(self._chunks):
            await super().__call__(scope, receive, send)
