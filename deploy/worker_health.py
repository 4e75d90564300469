"""Whether this container's worker takes jobs: Celery is asked by way of Redis, and has to answer."""

from __future__ import annotations

import os
import socket
import sys

from alphacut_gateway.jobs.celery_queue import application

_TIMEOUT_S = 5.0

with application(os.environ["ALPHACUT_GATEWAY_REDIS_URL"], lease_s=120) as app:
    sys.exit(0 if app.control.ping(destination=[f"celery@{socket.gethostname()}"], timeout=_TIMEOUT_S) else 1)
