"""docker-compose.yml without a Docker engine: what the specification, the files beside it and our commands say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from deployment import DEPLOY, ROOT, compose, interpolated, services

from alphacut_client.commands import alphacut

PROFILES = ("gpu", "cpu", "build", "loadtest")
EVERYTHING = compose()["services"]
ONE_OFF = {"build", "loadtest"}
OURS = {name: service for name, service in EVERYTHING.items() if service["image"].startswith("alphacut-")}


def test_the_file_is_what_the_compose_specification_allows() -> None:
    specification = pytest.importorskip("compose_spec", reason="compose-spec is for x86-64 Linux")
    assert set(specification.PyCompose.from_yaml(yaml.safe_dump(compose())).service_names()) == set(EVERYTHING)


def test_a_key_that_the_specification_does_not_know_is_found() -> None:
    specification = pytest.importorskip("compose_spec", reason="compose-spec is for x86-64 Linux")
    broken = compose()
    broken["services"]["redis"]["restrat"] = "always"
    with pytest.raises(ValueError, match="restrat"):
        specification.PyCompose.from_yaml(yaml.safe_dump(broken))


def test_variables_are_filled_in_as_compose_does() -> None:
    assert interpolated("$$a ${B:-c}:${D} ${E-f}", {"D": "1", "E": ""}) == "$a c:1 "
    with pytest.raises(KeyError):
        interpolated("${SECRET:?give one}", {})


def test_every_variable_has_a_default_and_all_can_be_set() -> None:
    names = set(re.findall(r"\$\{(ALPHACUT_\w+)", (ROOT / "docker-compose.yml").read_text()))
    documented = (ROOT / "docs" / "deployment.md").read_text()
    assert names
    assert {name for name in names if name not in documented} == set()
    assert compose(dict.fromkeys(names, "7")) != compose()


def test_docker_compose_up_starts_the_gpus_profile() -> None:
    settings = dict(line.split("=", 1) for line in (ROOT / ".env").read_text().splitlines() if "=" in line)
    assert settings == {"COMPOSE_PROFILES": "gpu"}
    assert {"triton", "gateway", "worker", "envoy", "redis", "prometheus", "grafana"} == set(services("gpu"))


def test_the_cpus_profile_is_the_same_with_the_embedded_triton() -> None:
    assert set(services("gpu")) ^ set(services("cpu")) == {"triton", "triton-embedded", "triton-embedded-door"}


def test_a_restart_of_the_embedded_triton_leaves_the_network_of_its_door() -> None:
    embedded, door = (services("cpu")[name] for name in ("triton-embedded", "triton-embedded-door"))
    assert door["networks"]["back"]["aliases"] == ["triton"]
    assert "networks" not in embedded
    assert embedded["network_mode"] == "service:triton-embedded-door"
    assert embedded["depends_on"]["triton-embedded-door"]["restart"] is True


def test_profiles_are_the_four_that_are_documented() -> None:
    assert {each for service in EVERYTHING.values() for each in service.get("profiles", ())} == set(PROFILES)


@pytest.mark.parametrize("profile", PROFILES)
def test_what_a_profile_needs_starts_with_it(profile: str) -> None:
    running = services(profile)
    for name, service in running.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in EVERYTHING
            assert needed in running or how.get("required") is False, f"{name} needs {needed}"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in EVERYTHING[needed]


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_service_is_confined(name: str) -> None:
    service = EVERYTHING[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "pid", "ipc", "cap_add", "devices"} & set(service)
    assert set(service["deploy"]["resources"]["limits"]) == {"memory"}
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", EVERYTHING)
def test_processors_are_bounded_on_machines_with_fewer_too(name: str) -> None:
    service = compose({"ALPHACUT_TRITON_CPUS": "12"})["services"][name]
    assert not {"cpus", "cpu_count", "cpu_period"} & set(service)  # Docker refuses `cpus` beyond the machine's
    assert service["cpu_quota"] in (100_000, 200_000, 400_000, 800_000, 1_200_000)
    assert (service["cpu_quota"] == 1_200_000) == (name in ("triton", "triton-embedded"))


@pytest.mark.parametrize("name", EVERYTHING)
def test_threads_are_bounded_with_room_for_one_a_processor_in_every_process(name: str) -> None:
    processors, processes = 128, 7  # a large machine; the embedded Triton's Python steps with all tiers
    numpy, decoding, fixed = 64, processors, 400  # NumPy takes no more for its algebra; two processors need 340 in all
    assert fixed + processes * (numpy + decoding) < EVERYTHING[name]["pids_limit"] <= 2**15


@pytest.mark.parametrize("name", sorted(set(EVERYTHING) - ONE_OFF))
def test_what_keeps_running_is_restarted_and_watched(name: str) -> None:
    assert EVERYTHING[name]["restart"] == "unless-stopped"
    assert EVERYTHING[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", sorted(ONE_OFF))
def test_what_runs_once_is_not_restarted(name: str) -> None:
    assert EVERYTHING[name]["restart"] == "no"


def test_every_image_of_ours_is_built_by_one_service_that_starts_with_those_that_use_it() -> None:
    builders = [(service["image"], name) for name, service in OURS.items() if "build" in service]
    assert len(dict(builders)) == len(builders)
    for name, service in OURS.items():
        if "build" not in service:
            assert service["pull_policy"] == "never"
            builder = dict(builders)[service["image"]]
            assert EVERYTHING[builder].get("profiles") == service.get("profiles"), name


@pytest.mark.parametrize("name", EVERYTHING)
def test_nobody_runs_as_root(name: str) -> None:
    service = EVERYTHING[name]
    if name in OURS:
        (build,) = (each["build"] for each in OURS.values() if each["image"] == service["image"] and "build" in each)
        dockerfile = (ROOT / build["dockerfile"]).read_text()
        users = [line.split()[1] for line in dockerfile.splitlines() if line.startswith("USER ")]
        assert users[-1].split(":")[0] not in ("0", "root")
    else:
        assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])


@pytest.mark.parametrize("name", EVERYTHING)
def test_images_are_pinned_by_exact_version(name: str) -> None:
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+(-alpine3\.\d+)?", EVERYTHING[name]["image"])


def test_ports_are_on_loopback_and_only_those_with_tls_can_leave_it() -> None:
    published = [port for service in EVERYTHING.values() for port in service.get("ports", ())]
    assert len(published) == 5
    assert {port.split(":")[0] for port in published} == {"127.0.0.1"}
    opened = compose({"ALPHACUT_BIND": "0.0.0.0"})["services"]  # noqa: S104  said to be so
    outside = [port for service in opened.values() for port in service.get("ports", ()) if port.startswith("0.0.0.0")]  # noqa: S104
    assert [port.rpartition(":")[2] for port in outside] == ["8443", "8444"]


def test_what_works_on_images_has_no_way_out() -> None:
    assert compose()["networks"]["back"] == {"internal": True}
    for name in ("gateway", "worker", "triton", "triton-embedded-door", "redis", "loadtest"):
        assert list(EVERYTHING[name]["networks"]) == ["back"], name


def test_all_that_is_mounted_exists() -> None:
    volumes = compose()["volumes"]
    for service in EVERYTHING.values():
        for mount in service.get("volumes", ()):
            source, target, *mode = mount.split(":")
            assert target.startswith("/")
            if source.startswith("."):
                assert (ROOT / source).exists(), mount
                writable = mode != ["ro"]
                assert not writable or source in ("./model_repository", "./loadtest/results")
            else:
                assert source in volumes


def test_secrets_are_files_that_the_script_makes_and_git_ignores(tmp_path: Path) -> None:
    subprocess.run([DEPLOY / "secrets.sh", tmp_path], check=True, capture_output=True)
    secrets = compose({"ALPHACUT_SECRETS": str(tmp_path)})["secrets"]
    for secret in secrets.values():
        assert Path(secret["file"]).is_file()
    used = {
        each if isinstance(each, str) else each["source"]
        for service in EVERYTHING.values()
        for each in service.get("secrets", ())
    }
    assert used == set(secrets)
    assert all(secret["file"].startswith("./deploy/secrets/") for secret in compose()["secrets"].values())
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_nothing_secret_is_a_configured_variable() -> None:
    for service in EVERYTHING.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search(r"PASSWORD|SECRET|KEY_HASH|REDIS_URL", name) or value.startswith("/run/secrets/"), name


def test_settings_of_the_gateway_are_ones_that_it_has() -> None:
    from alphacut_gateway.settings import Settings

    for name in ("gateway", "worker"):
        variables = dict(EVERYTHING[name]["environment"])
        for secret in EVERYTHING[name]["secrets"]:
            variables[secret["target"].upper()] = {
                "api_key_hashes": f"{'0' * 64}:admin",
                "redis_url": "redis://redis:6379/0",
                "webhook_secret": "0" * 64,
            }[secret["source"]]
        Settings.from_environment({key: value for key, value in variables.items() if key != "ALPHACUT_URL"})


def command_lines() -> list[tuple[str, list[str]]]:
    """Our commands, as compose's and Dockerfiles' entry points and commands and the scripts give them."""
    given = {name: [*service.get("entrypoint", ()), *service.get("command", ())] for name, service in OURS.items()}
    lines = [(name, words) for name, words in given.items() if words[:1] == ["alphacut"]]
    for path in sorted(DEPLOY.glob("*.Dockerfile")):
        for found in re.findall(r"^(?:ENTRYPOINT|CMD) (\[.*\])$", path.read_text(), re.MULTILINE):
            words: list[str] = yaml.safe_load(found)
            if words[0] == "alphacut" and len(words) > 1:
                lines.append((path.name, words))
    for path in [*DEPLOY.glob("*.sh"), *DEPLOY.glob("*.Dockerfile")]:
        lines += [
            (path.name, found.split()) for found in re.findall(r"^(?:RUN )?(alphacut .*)$", path.read_text(), re.M)
        ]
    return lines


@pytest.mark.parametrize(("where", "words"), command_lines())
def test_commands_are_ones_that_we_have(
    where: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in EVERYTHING["gateway"]["environment"].items():
        monkeypatch.setenv(variable, value)
    _, name, *arguments = [word.replace("/models", str(tmp_path)) for word in words]
    context = click.Context(alphacut)
    command: Any = alphacut.get_command(context, name)
    assert command is not None, f"{where}: alphacut {name}"
    command.make_context(name, arguments, parent=context)


def test_there_are_commands_to_look_at() -> None:
    assert {words[1] for _, words in command_lines()} == {"gateway", "worker", "serve", "build", "check", "load"}


def test_the_scenario_that_is_played_exists() -> None:
    (path,) = [word for word in EVERYTHING["loadtest"]["command"] if word.endswith(".toml")]
    assert (ROOT / path.lstrip("/")).is_file()
