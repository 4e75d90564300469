"""``/v1/jobs``: an image now, the picture later."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from alphacut_core import codec
from alphacut_core.errors import AlphacutError, UnavailableError
from alphacut_gateway import gateway, media
from alphacut_gateway.faults import IMAGE_ERRORS, declared
from alphacut_gateway.jobs.job import Job
from alphacut_gateway.refusals import (
    AddressError,
    ForbiddenError,
    JobReusedError,
    JobUnfinishedError,
    JobUnknownError,
    MalformedRequestError,
    RateLimitError,
    UnauthorizedError,
)
from alphacut_gateway.routes.credentials import KEY
from alphacut_gateway.routes.parameters import CutoutParameters, merged
from alphacut_gateway.routes.remove import BINARY, BODY, image_file

router = APIRouter(prefix="/v1/jobs", dependencies=KEY)

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_RESULT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture.",
        "content": {kind: {"schema": BINARY} for kind in media.TYPES.values()},
    }
}
_LOOKING_ERRORS: tuple[type[AlphacutError], ...] = (
    UnauthorizedError,
    ForbiddenError,
    RateLimitError,
    UnavailableError,
)


class JobParameters(CutoutParameters):
    """Wishes about the picture, and about how its end is told."""

    webhook: str | None = Field(None, description="Address that is told when the job has ended.")


@router.post(
    "",
    status_code=202,
    responses=declared(*IMAGE_ERRORS, ForbiddenError, AddressError, JobReusedError),
    openapi_extra=BODY,
    response_class=JSONResponse,
)
async def submit(
    request: Request,
    query: Annotated[JobParameters, Query()],
    idempotency_key: Annotated[str | None, Header(description="Sent again with it, a request is the same job.")] = None,
) -> Response:
    """Accept an image; what `/remove` would answer is fetched later, and nothing accepted is lost."""
    here = gateway.of(request)
    caller = await here.admit(request, "jobs")
    key = idempotency_key or ""
    if key and not _KEY.fullmatch(key):
        raise MalformedRequestError("got an Idempotency-Key that is not 1 to 255 printable characters without spaces")
    trace = request.headers.get("traceparent", "")
    async with here.upload(request) as upload:
        data, wishes = image_file(upload), merged(query, upload.fields)
        options, tier = wishes.options(), wishes.tier()
        await here.cutting.catalogue.engine(tier)
        # What is no picture is told now, and not to somebody who comes back for it.
        header = await here.cutting.threads.run(codec.read_header, data, here.cutting.limits)
        job = await here.jobs.submit(
            data,
            n_pixels=header.width * header.height,
            caller=caller.digest,
            tier=tier,
            options=options,
            webhook=wishes.webhook or "",
            trace=trace if _TRACE_PARENT.fullmatch(trace) else "",
            key=key,
        )
    return _told(job, 202, durable=here.jobs.records.durable)


@router.head("/{job_id}", include_in_schema=False)
@router.get("/{job_id}", responses=declared(JobUnknownError, *_LOOKING_ERRORS), response_class=JSONResponse)
async def state(request: Request, job_id: str) -> Response:
    """Say how far a job is."""
    here = gateway.of(request)
    caller = await here.admit(request, "jobs")
    return _told(await here.jobs.find(job_id, caller.digest), 200, durable=here.jobs.records.durable)


@router.head("/{job_id}/result", include_in_schema=False)
@router.get(
    "/{job_id}/result",
    responses=_RESULT | declared(JobUnknownError, JobUnfinishedError, *IMAGE_ERRORS),
    response_class=Response,
)
async def result(request: Request, job_id: str) -> Response:
    """Return the picture of a job that is done, or the error of one that failed."""
    here = gateway.of(request)
    caller = await here.admit(request, "jobs")
    here.answer_bytes.check()
    job, content = await here.jobs.result(job_id, caller.digest)
    return Response(content, media_type=job.media_type)


def _told(job: Job, status: int, *, durable: bool) -> Response:
    headers = {"Location": f"/v1/jobs/{job.id}"} if status == 202 else {}
    if not job.ended:
        headers["Retry-After"] = "1"
    return JSONResponse({**job.described(), "durable": durable}, status, headers)
