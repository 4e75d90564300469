"""A running server follows installations and roll-backs, and no caller notices but by the version."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from alphacut_client import Client
from alphacut_core import installed, probe
from alphacut_core.installed import Installed
from alphacut_engines import fingerprint, install
from tests.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.triton

ENGINE, ENSEMBLE, SIZE = "u2netp_lite", "remove_background_lite", 160


class Callers:
    """Threads that ask without pause, for masks through the ensemble and of the engine alone."""

    def __init__(self, url: str, photo: bytes) -> None:
        self.errors: list[str] = []
        self._seen: dict[str, int] = {}
        self._news = threading.Condition()
        self._ending = threading.Event()
        square = tensor("IMAGE", np.zeros((1, SIZE, SIZE, 3), np.uint8))
        parts = {"ENCODED": photo, "OPTIONS": b"{}"}
        file = [tensor(name, np.frombuffer(data, np.uint8)[None]) for name, data in parts.items()]
        asks = [(ENGINE, [square])] * 2 + [(ENSEMBLE, file)] * 2
        self._threads = [threading.Thread(target=self._ask, args=(url, *ask)) for ask in asks]

    def _ask(self, url: str, model: str, inputs: list[InferInput]) -> None:
        outputs = [InferRequestedOutput(name) for name in ("MASK", "CONFIDENCE")]
        client = InferenceServerClient(url)
        while not self._ending.is_set():
            try:
                answer = client.infer(model, inputs, outputs=outputs, client_timeout=60)
            except InferenceServerException as error:
                self.errors.append(str(error))
                continue
            assert answer.as_numpy("MASK").shape == (1, SIZE, SIZE)
            with self._news:
                name = f"{model} {answer.get_response().model_version}"
                self._seen[name] = self._seen.get(name, 0) + 1
                self._news.notify_all()
        client.close()

    def await_version(self, version: int) -> None:
        """Wait until new answers come from a version, and through the ensemble too."""
        with self._news:
            self._seen.clear()
            wanted = (f"{ENGINE} {version}", f"{ENSEMBLE} 1")
            assert self._news.wait_for(lambda: all(name in self._seen for name in wanted), PATIENCE_S), self._seen

    @contextmanager
    def at_work(self) -> Iterator[Callers]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._ending.set()
            for thread in self._threads:
                thread.join()


def tensor(name: str, values: np.ndarray) -> InferInput:
    made = InferInput(name, list(values.shape), "UINT8")
    made.set_data_from_numpy(values)
    return made


def await_line(server: Any, said: str) -> None:
    wait_until(f"saying {said!r}", lambda: said in server.stderr)


@pytest.fixture
def own_repository(repository: Path, tmp_path: Path) -> Path:
    if installed.find(repository, ENGINE) is None:
        pytest.fail(f"{ENGINE} is not built; run: alphacut build --tier all")
    return Path(shutil.copytree(repository, tmp_path / "model_repository", symlinks=True))


def serving(repository: Path) -> Installed:
    engine = installed.find(repository, ENGINE)
    assert engine is not None
    return engine


def install_again(repository: Path, spoil: Callable[[Path], None] = lambda folder: None) -> int:
    """Install the engine that serves as a new version, spoilt before its checksums are taken; return its number."""
    return install_copy(repository, serving(repository), spoil)


def install_copy(
    repository: Path,
    of: Installed,
    spoil: Callable[[Path], None] = lambda folder: None,
    target: str = installed.CPU,
    **facts: Any,
) -> int:
    """Install another engine in this one's place, with other facts in its manifest; return its version's number."""
    with install.version(repository, ENGINE, target) as new:
        for name in of.manifest["artefacts"]:
            shutil.copy(of.folder / name, new.folder / name)
        spoil(new.folder)
        artefacts = {path.name: fingerprint.of_file(path) for path in new.folder.iterdir()}
        (new.folder / "manifest.json").write_text(json.dumps({**of.manifest, **facts, "artefacts": artefacts}))
    return new.number


def cut_off(folder: Path) -> None:
    network = folder / "model.onnx"
    network.write_bytes(network.read_bytes()[:1000])


def invert(folder: Path) -> None:
    probe.store_answer(255 - np.array(probe.load_answer(folder)), folder)


def test_an_installation_and_its_roll_back_cost_no_request(
    start_server: Callable[..., Any], own_repository: Path, samples: dict[str, bytes]
) -> None:
    server = start_server("--repository", str(own_repository), "--tier", "lite")
    first = serving(own_repository).version
    with Callers(server.url, samples["cat"]).at_work() as callers:
        callers.await_version(first)
        second = install_again(own_repository)
        callers.await_version(second)
        install.roll_back(own_repository, ENGINE, "cpu")
        callers.await_version(first)
    assert callers.errors == []
    assert f"{ENGINE} serves version {second} instead of {first}" in server.stderr


def test_a_broken_version_is_refused_and_the_one_before_goes_on(
    start_server: Callable[..., Any], own_repository: Path, samples: dict[str, bytes]
) -> None:
    server = start_server("--repository", str(own_repository), "--tier", "lite")
    first = serving(own_repository)
    with Callers(server.url, samples["cat"]).at_work() as callers:
        for spoil, reason in ((cut_off, f"Triton refuses {ENGINE}"), (invert, "differs from the known answer")):
            broken = install_again(own_repository, spoil)
            await_line(server, f"version {broken} of {ENGINE} is refused, {first.version} goes on: ")
            assert reason in server.stderr
            callers.await_version(first.version)
            assert serving(own_repository) == first, "a server that starts again takes the one that works"
    assert callers.errors == []


def test_a_version_of_another_size_waits_for_a_restart_which_clients_follow(
    start_server: Callable[..., Any], own_repository: Path, samples: dict[str, bytes]
) -> None:
    first, larger = serving(own_repository), installed.find(own_repository, "u2netp")
    assert larger is not None
    install_copy(own_repository, larger, target="tensorrt", tier="lite", native_size=640)  # is none of its business
    server = start_server("--repository", str(own_repository), "--tier", "lite")
    with Client(server.url, mode="lite") as client:

        def shapes() -> list[tuple[int, ...]]:
            return [client.predict(samples["cat"], upload=upload).mask.shape for upload in ("pixels", "encoded")]

        with Callers(server.url, samples["cat"]).at_work() as callers:
            callers.await_version(first.version)
            second = install_copy(own_repository, larger, tier="lite", native_size=640)
            await_line(server, f"with version {first.version} of 160 pixels; version {second} of 320 waits until the")
            callers.await_version(first.version)
        assert callers.errors == []
        assert shapes() == [(160, 160)] * 2
        server.triton().kill()
        await_line(server, "Triton answers again")
        assert shapes() == [(320, 320)] * 2
        install.roll_back(own_repository, ENGINE, "cpu")
        await_line(server, f"version {first.version} of 160 waits")
        assert shapes() == [(320, 320)] * 2


def test_folders_may_have_names_that_a_shell_would_take_apart(
    start_server: Callable[..., Any], own_repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "so-called; folder").mkdir()
    odd = own_repository.rename(tmp_path / "Ann's models (new)")
    server = start_server("--repository", str(odd), "--tier", "lite", TMPDIR=str(tmp_path / "so-called; folder"))
    assert server.url, server.stderr
    await_line(server, f"{ENGINE} serves version {install_again(odd)} instead of")


@pytest.mark.parametrize(
    ("spoil", "reason"), [(cut_off, f"Triton refuses {ENSEMBLE}"), (invert, "differs from the known answer")]
)
def test_a_broken_tier_that_is_built_meanwhile_is_not_served_and_spoils_no_restart(
    start_server: Callable[..., Any], own_repository: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    install_again(own_repository, spoil)
    broken = serving(own_repository)
    broken.config.unlink()
    server = start_server("--repository", str(own_repository), "--tier", "full", "--tier", "lite")
    broken.config.write_text(broken.selection)
    await_line(server, f"{ENGINE} is not served: ")
    assert reason in server.stderr
    with contextlib.closing(InferenceServerClient(server.url)) as client:
        for model in (ENSEMBLE, ENGINE):
            wait_until(f"unloading {model}", lambda model=model: not client.is_model_ready(model))
    assert installed.find(own_repository, ENGINE) is None
    server.triton().kill()
    await_line(server, "Triton answers again")


def test_a_tier_that_is_built_meanwhile_is_served_too(start_server: Callable[..., Any], own_repository: Path) -> None:
    lite = serving(own_repository)
    lite.config.rename(lite.config.with_suffix(".aside"))
    server = start_server("--repository", str(own_repository), "--tier", "full", "--tier", "lite")
    assert f"not built and left out: {ENGINE}" in server.stderr
    lite.config.with_suffix(".aside").rename(lite.config)
    await_line(server, f"{ENGINE} serves version {lite.version}")
    client = InferenceServerClient(server.url)
    assert client.is_model_ready(ENSEMBLE)
    client.close()
