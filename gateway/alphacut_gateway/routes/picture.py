"""What the routes that answer with one picture share: from an upload's bytes to the response."""

from __future__ import annotations

import time

from fastapi import Request
from starlette.responses import Response

from alphacut_core.options import Options
from alphacut_gateway import etag, gateway, media
from alphacut_gateway.tier import Tier

MODE = "X-Alphacut-Mode"


async def respond(request: Request, data: bytes, options: Options, asked: Tier) -> Response:
    """Cut out an image file and return the response, or 304 if the caller has it already."""
    here = gateway.of(request)
    started = time.perf_counter()
    stages = here.stages()
    tier = await here.tier(asked)
    digest = await here.cutting.digest(data, tier)
    tag = etag.of(digest.encode() + options.to_wire())
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", MODE: tier.mode}
    if tier != asked:
        headers[MODE] = f"{tier.mode}; requested={asked.mode}"
        here.metrics.stepped_down.labels(asked.mode, tier.mode).inc()
    if etag.known(request.headers, tag):
        return Response(status_code=304, headers=headers)
    async with here.cutting.matte(data, tier, options.decode, stages) as matte:
        here.metrics.masks.labels(matte.found).inc()
        rendered = await here.cutting.render(matte, options, stages)
        content = await here.cutting.encode(rendered, options, stages)
    here.pace.observe(time.perf_counter() - started)
    headers |= {
        "Server-Timing": stages.server_timing(),
        "X-Cache": matte.found,
        "X-Confidence": f"{matte.prediction.confidence:.4f}",
    }
    return Response(content, media_type=media.TYPES[options.format], headers=headers)
