"""Networks and tiers by name: what is served, and what is not."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest

from alphacut_client import AsyncClient, Client
from alphacut_core import tiers
from alphacut_core.contract import Pipeline
from alphacut_core.errors import ContractError, UnknownModelError

Serve = Callable[..., Any]
HalfOf = Callable[[int], np.ndarray]


def catalogue(*installed: tuple[str, tiers.Mode, int]) -> dict[str, dict[str, str]]:
    served = {"preprocess": {}, "postprocess": {}}
    for model, mode, native_size in installed:
        pipeline = tiers.pipeline(model, mode, native_size)
        size = str(pipeline.size)
        served[pipeline.ensemble] = {"model": model, "tier": mode, "engine": pipeline.engine, "size": size}
        facts = {"precision": "int8", "licence": "Apache-2.0", "mean_iou": "0.97", "time_ms": "41.5", "machine": "Xeon"}
        served[pipeline.engine] = {**facts, "size": size} if mode == "full" else {"size": size}
    return served


@pytest.fixture
def server(serve: Serve, respond: Callable[..., Any], half_of: HalfOf) -> Any:
    def answer(request: Any, context: Any) -> Any:
        if request.model_name not in running.served:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Request for unknown model: '{request.model_name}' is not found")
        size = int(running.served[request.model_name]["size"])
        if request.inputs[0].name == "IMAGE" and request.inputs[0].shape[1] != size:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"unexpected shape for input 'IMAGE', expected {size}")
        return respond(request, half_of(size))

    running = serve(answer)
    running.served = catalogue(("u2netp", "full", 320), ("u2netp", "lite", 320), ("portrait", "full", 512))
    return running


def test_it_lists_networks_and_tiers_with_what_was_measured(server: Any) -> None:
    with Client(server.url) as client:
        listed = client.models()
    assert [(one.model, one.mode, one.size) for one in listed] == [
        ("u2netp", "full", 320),
        ("u2netp", "lite", 160),
        ("portrait", "full", 512),
    ]
    first, lite, _ = listed
    assert (first.precision, first.licence, first.mean_iou, first.time_ms) == ("int8", "Apache-2.0", 0.97, 41.5)
    assert first.machine == first.facts["machine"] == "Xeon"
    assert first.mean_difference is lite.precision is lite.time_ms is None

    async def ask() -> Any:
        async with AsyncClient(server.url) as client:
            return await client.models()

    assert asyncio.run(ask()) == listed


def test_a_call_may_name_network_and_tier(server: Any, photo: Callable[..., bytes]) -> None:
    with Client(server.url) as client:
        assert client.predict(photo()).mask.shape == (320, 320)
        assert client.predict(photo(), mode="lite").mask.shape == (160, 160)
        assert client.predict(np.zeros((9, 9, 3), np.uint8), model="portrait").mask.shape == (512, 512)
    assert [request.model_name for request in server.requests] == [
        "remove_background",
        "remove_background_lite",
        "portrait",
    ]


def test_the_size_of_a_network_is_asked_once(server: Any, photo: Callable[..., bytes]) -> None:
    with Client(server.url, model="portrait", window=3) as client:
        client.remove(photo())
        client.remove_batch([photo()] * 5)
    assert server.asked == ["remove_background_portrait"]


def test_the_default_network_is_not_asked_about(server: Any, photo: Callable[..., bytes]) -> None:
    with Client(server.url) as client:
        client.remove(photo())
    assert server.asked == []


GROWN = catalogue(("u2netp", "full", 512))


@pytest.mark.parametrize("upload", ["encoded", "pixels"])
def test_the_default_network_may_have_another_size(server: Any, photo: Callable[..., bytes], upload: Any) -> None:
    server.served = GROWN
    with Client(server.url, upload=upload) as client:
        assert client.health().confidence == 0.75
        assert client.predict(io.BytesIO(photo())).mask.shape == (512, 512)
        assert client.remove(photo())
        assert client.remove(np.zeros((9, 7, 3), np.uint8)).shape == (9, 7, 4)
    assert server.asked == ["remove_background"], "once it is known it is not asked again"


def test_a_network_may_change_its_size_while_clients_use_it(server: Any, photo: Callable[..., bytes]) -> None:
    before = server.served

    async def run() -> None:
        async with AsyncClient(server.url, upload="pixels") as client:
            for served, side in ((before, 320), (GROWN, 512), (before, 320)):
                server.served = served
                seen = await asyncio.gather(*(client.predict(photo()) for _ in range(8)))
                assert {prediction.mask.shape for prediction in seen} == {(side, side)}

    asyncio.run(run())
    assert set(server.asked) == {"remove_background"}


def test_a_server_that_disagrees_about_all_else_is_told_of_once(
    server: Any, photo: Callable[..., bytes], respond: Callable[..., Any], half_of: HalfOf
) -> None:
    server.answer = lambda request, context: respond(request, half_of(320)[:64])
    with Client(server.url) as client, pytest.raises(ContractError, match="64 rows of 320; masks are square"):
        client.remove(photo())
    assert len(server.requests) == 1


def test_files_are_answered_by_replicas_of_two_sizes(
    serve: Serve, respond: Callable[..., Any], photo: Callable[..., bytes], half_of: HalfOf
) -> None:
    small, large = (serve(lambda request, context, n=n: respond(request, half_of(n))) for n in (320, 512))
    with Client([small.url, large.url]) as client:
        seen: set[int] = set()
        while len(seen) < 2:
            seen.add(len(client.predict(photo()).mask))
    assert seen == {320, 512}


@pytest.mark.parametrize("absent", [{"model": "birefnet"}, {"mode": "medium"}, {"model": "portrait", "mode": "lite"}])
def test_what_is_not_served_is_refused_with_a_list_of_what_is(
    absent: dict[str, Any], server: Any, photo: Callable[..., bytes]
) -> None:
    with Client(server.url) as client:
        with pytest.raises(UnknownModelError, match=r"model='portrait' mode='full'.*alphacut build"):
            client.remove(photo(), **absent)
        assert client.remove(photo())  # and the client goes on


@pytest.mark.parametrize("upload", ["encoded", "pixels"])
def test_so_is_the_default_network_where_only_others_are_served(
    server: Any, photo: Callable[..., bytes], upload: Any
) -> None:
    server.served = catalogue(("u2netp", "lite", 320))
    with Client(server.url, upload=upload) as client:
        for call in (lambda: client.remove(photo()), client.health):
            with pytest.raises(
                UnknownModelError, match=r"got model='u2netp' mode='full'; .* model='u2netp' mode='lite'"
            ):
                call()


@pytest.mark.parametrize("mode", ["full", "lite"])
def test_a_server_without_networks_is_none_of_alphacuts(server: Any, photo: Callable[..., bytes], mode: Any) -> None:
    server.served = {"resnet": {}}
    with Client(server.url) as client, pytest.raises(ContractError, match="serves Alphacut's model repository"):
        client.remove(photo(), mode=mode)


def test_one_image_of_an_unknown_network_is_one_error_of_a_batch(server: Any, photo: Callable[..., bytes]) -> None:
    async def run() -> Any:
        async with AsyncClient(server.url, model="nobody") as client:
            return await client.remove_batch([photo(), photo()], on_error="return")

    assert [type(error) for error in asyncio.run(run())] == [UnknownModelError] * 2


def test_names_of_ones_own_need_no_questions(server: Any, photo: Callable[..., bytes]) -> None:
    server.served["cut"] = {"size": "64"}
    with Client(server.url, pipeline=Pipeline("cut", "", "cut_engine", "", 64)) as client:
        assert client.predict(photo()).mask.shape == (64, 64)
    assert server.asked == []
