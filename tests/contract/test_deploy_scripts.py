"""The scripts beside docker-compose.yml, run as the containers run them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from deployment import DEPLOY

from alphacut_core.shared_memory import GROWTH_BYTES

NEWER_THAN_EMBEDDED = {"--allow-client-shm"}
"""What NVIDIA's image of compose takes and the embedded Triton, two years older, does not know."""


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    subprocess.run([DEPLOY / "secrets.sh", folder], check=True, capture_output=True)
    return folder


def run(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


def test_secrets_are_made_once(secrets: Path) -> None:
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert len(set(before.values())) == len(before)
    (secrets / "tls_certificate").write_text("one of the operator's own")
    subprocess.run([DEPLOY / "secrets.sh", secrets], check=True, capture_output=True)
    after = {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert after == {**before, "tls_certificate": b"one of the operator's own"}
    (secrets / "tls_certificate").write_bytes(before["tls_certificate"])


@pytest.mark.parametrize("failing", ["rand", "dgst", "req", "x509"])
def test_secrets_that_cannot_be_made_are_an_error_and_made_by_the_next_run(tmp_path: Path, failing: str) -> None:
    programs, folder = tmp_path / "bin", tmp_path / "secrets"
    programs.mkdir()
    openssl = programs / "openssl"
    openssl.write_text(f'#!/bin/sh\n[ "$1" != {failing} ] || {{ echo "no {failing}" >&2; exit 1; }}\n')
    openssl.write_text(f'{openssl.read_text()}exec {shutil.which("openssl")} "$@"\n')
    openssl.chmod(0o755)
    done = run(DEPLOY / "secrets.sh", folder, PATH=f"{programs}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert f"no {failing}" in done.stderr
    assert run(DEPLOY / "secrets.sh", folder).returncode == 0
    assert all(path.stat().st_size for path in folder.iterdir())
    assert not (folder / "openssl.log").exists()


def test_secrets_want_openssl(tmp_path: Path) -> None:
    for program in ("dirname", "mkdir", "chmod", "cat"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    done = run("/bin/sh", DEPLOY / "secrets.sh", tmp_path / "secrets", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "apt-get install openssl" in done.stderr
    assert not any((tmp_path / "secrets").iterdir())


def test_secrets_are_for_nobody_else_and_keys_stay_with_their_owner(secrets: Path) -> None:
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in secrets.iterdir() if path.stat().st_mode & 0o077 == 0} == {
        "client_ca_key",
        "client_key",
    }


def test_certificates_are_what_envoy_and_callers_need(secrets: Path) -> None:
    for name, usage in (("tls_certificate", "sslserver"), ("client_certificate", "sslclient")):
        done = run("openssl", "verify", "-purpose", usage, "-CAfile", secrets / "client_ca", secrets / name)
        assert done.returncode == 0, done.stderr


def test_secrets_become_the_gateways_settings(secrets: Path, tmp_path: Path) -> None:
    from alphacut_gateway.settings import Settings

    for name in ("api_key_hashes", "redis_url", "webhook_secret"):
        shutil.copy(secrets / name, tmp_path / f"alphacut_gateway_{name}")
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    done = run("sh", DEPLOY / "with-secrets.sh", sys.executable, "-c", program, SECRETS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    settings = Settings.from_environment(json.loads(done.stdout))
    assert settings.redis_url == (secrets / "redis_url").read_text()
    assert settings.webhook_secret == (secrets / "webhook_secret").read_text()
    caller, metrics = settings.api_key_hashes
    assert caller == hashlib.sha256((secrets / "api_key").read_bytes()).hexdigest() + ":remove+jobs"
    assert metrics == hashlib.sha256((secrets / "metrics_key").read_bytes()).hexdigest() + ":admin"


def test_the_command_runs_without_secrets_and_keeps_its_status(tmp_path: Path) -> None:
    done = run("sh", DEPLOY / "with-secrets.sh", "sh", "-c", "exit 7", SECRETS=str(tmp_path))
    assert done.returncode == 7


def test_redis_starts_from_its_file_and_wants_the_password(secrets: Path, tmp_path: Path) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed; run: apt-get install redis-server")
    configuration = tmp_path / "redis.conf"
    configuration.write_text((DEPLOY / "redis.conf").read_text().replace("dir /data", f"dir {tmp_path}"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "CONFIGURATION": str(configuration), "SECRETS": str(secrets)}
    command = ["sh", DEPLOY / "redis.sh", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:  # ends with the process, if it cannot start
                if "Ready to accept connections" in line:
                    break
            password = (secrets / "redis_password").read_text()
            assert password not in Path(f"/proc/{process.pid}/cmdline").read_text()
            with redis.Redis(port=port, password=password) as known, redis.Redis(port=port) as unknown:
                assert known.ping()
                known.set("kept", "1")
                assert known.info("memory")["maxmemory_policy"] == "noeviction"
                with pytest.raises(redis.exceptions.AuthenticationError):
                    unknown.ping()
                with pytest.raises(redis.exceptions.ResponseError, match="unknown command"):
                    known.flushall()
        finally:
            process.terminate()
    assert process.returncode == 0
    assert any((tmp_path / "appendonlydir").iterdir())


def play_triton(folder: Path, check_status: int) -> Path:
    """Programs of the image's names that say how they were called."""
    for name, status in (("alphacut", check_status), ("tritonserver", 0)):
        program = folder / name
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "{name}" "$@"\nexit {status}\n')
        program.chmod(0o755)
    key = folder / "triton_admin_key"
    key.write_text("a-key")
    script = folder / "serve-triton.sh"
    text = (
        (DEPLOY / "serve-triton.sh").read_text().replace("/run/secrets", str(folder)).replace("python3", sys.executable)
    )
    script.write_text(text.replace('"/models"', f'"{folder}"'))
    return script


def install_plan(folder: Path, engine: str, tier: str) -> None:
    """Leave what ``alphacut build --target tensorrt`` leaves, as far as its being there is concerned."""
    (folder / engine / "configs").mkdir(parents=True)
    (folder / engine / "3").mkdir()
    (folder / engine / "configs" / "tensorrt.pbtxt").write_text("version_policy {\n specific {\n versions: 3\n}\n}\n")
    manifest = {"slot": "u2netp", "tier": tier, "native_size": 320}
    (folder / engine / "3" / "manifest.json").write_text(json.dumps(manifest))


def test_a_plan_of_another_machine_keeps_triton_from_starting(tmp_path: Path) -> None:
    script = play_triton(tmp_path, check_status=1)
    done = run("sh", script, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert done.stdout.split() == ["alphacut", "check", "/models"]


def test_triton_serves_what_has_a_plan_with_flags_that_it_has(tmp_path: Path) -> None:
    script = play_triton(tmp_path, check_status=0)
    install_plan(tmp_path, "u2netp", "full")
    install_plan(tmp_path, "u2netp_lite", "lite")
    lines = run("sh", script, PATH=f"{tmp_path}:{os.environ['PATH']}").stdout.splitlines()
    arguments = lines[lines.index("tritonserver") + 1 :]
    assert f"--backend-config=python,shm-growth-byte-size={GROWTH_BYTES}" in arguments
    loaded = [argument for argument in arguments if argument.startswith("--load-model=")]
    assert loaded == ["--load-model=remove_background", "--load-model=remove_background_lite"]
    assert "--grpc-restricted-protocol=shared-memory,trace,logging:admin-key=a-key" in arguments
    flags = {argument.partition("=")[0] for argument in arguments}
    assert flags - embedded_flags() == NEWER_THAN_EMBEDDED


def test_triton_without_a_plan_says_how_to_get_one(tmp_path: Path) -> None:
    script = play_triton(tmp_path, check_status=0)
    done = run("sh", script, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert "docker compose run --rm build" in done.stderr
    assert "tritonserver" not in done.stdout


def embedded_flags() -> set[str]:
    from alphacut_server import environment

    installed = environment.ensure(print)
    libraries = ":".join(map(str, installed.libraries))
    told = run(installed.triton / "bin" / "tritonserver", "--help", LD_LIBRARY_PATH=libraries)
    flags = set(re.findall(r"--[a-z0-9-]+", told.stdout + told.stderr))
    assert "--model-repository" in flags
    return flags


@pytest.mark.parametrize("script", sorted(DEPLOY.glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_plain_shell(script: Path) -> None:
    done = run("sh", "-n", script)
    assert (done.returncode, done.stderr) == (0, "")
    assert script.read_text().startswith("#!/bin/sh\n")
    assert os.access(script, os.X_OK)
