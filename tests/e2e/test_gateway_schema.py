"""The OpenAPI document against the gateway that serves it: schemathesis makes the requests up."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

pytestmark = pytest.mark.triton

CHECKS: list[checks.CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
TIMEOUT = "X-Request-Timeout-Ms"
PATHS = (
    "/remove",
    "/api/remove",
    "/v1.0/removebg",
    "/v1.0/account",
    "/v1/batch",
    "/v1/jobs",
    "/v1/jobs/{job_id}",
    "/v1/jobs/{job_id}/result",
    "/v1/models",
    "/healthz",
    "/readyz",
    "/metrics",
)


@pytest.fixture(scope="module")
def schema(gateway: str) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{gateway}/openapi.json")


def test_every_path_of_the_document_is_tried(schema: schemathesis.BaseSchema) -> None:
    assert {operation.ok().path for operation in schema.get_all_operations()} == set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_whatever_is_sent_is_answered_as_the_document_says(schema: schemathesis.BaseSchema, path: str) -> None:
    operations = [each.ok() for each in schema.get_all_operations()]
    for operation in operations:
        if operation.path != path:
            continue

        @given(case=operation.as_strategy())
        @settings(
            max_examples=10,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def tried(case: schemathesis.Case) -> None:
            if TIMEOUT in case.headers:
                case.headers[TIMEOUT] = "60000"  # of a few milliseconds nothing could come but errors of the server's
            case.call_and_validate(checks=CHECKS, timeout=120)

        tried()
