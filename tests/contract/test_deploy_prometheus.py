"""Prometheus' files, read by promtool; Grafana's, as its own library writes them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployment import DEPLOY, compose

from alphacut_core import tiers
from alphacut_core.tiers import MODES

FOLDER = DEPLOY / "prometheus"
GRAFANA = DEPLOY / "grafana"


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed; run: apt-get install prometheus")
    return subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True, check=False)


def scraped() -> dict[str, Any]:
    configuration = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    return {job["job_name"]: job for job in configuration["scrape_configs"]}


def test_promtool_takes_the_configuration() -> None:
    done = promtool("check", "config", "--syntax-only", "prometheus.yml")
    assert done.returncode == 0, done.stderr


def test_promtool_takes_the_rules() -> None:
    done = promtool("check", "rules", "rules.yml", "alerts.yml")
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load((FOLDER / "prometheus.yml").read_text())["rule_files"] == ["rules.yml", "alerts.yml"]


def test_alerts_say_what_their_tests_expect() -> None:
    done = promtool("test", "rules", "alerts_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested_and_says_whom_it_wakes() -> None:
    alerts = [
        rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]
    ]
    tested = set(re.findall(r'alertname(?:: |=")(\w+)', (FOLDER / "alerts_test.yml").read_text()))
    assert {alert["alert"] for alert in alerts} == tested
    assert {alert["labels"]["severity"] for alert in alerts} == {"page", "ticket"}
    assert all({"summary", "description"} == set(alert["annotations"]) for alert in alerts)


def test_burn_rates_are_the_workbooks() -> None:
    rows = re.findall(
        r"ratio_rate(\w+) > ([\d.]+) \* ([\d.]+) and \S+ratio_rate(\w+) >", (FOLDER / "alerts.yml").read_text()
    )
    workbook = [("1h", "14.4", "5m"), ("6h", "6", "30m"), ("1d", "3", "2h"), ("3d", "1", "6h")]
    for budget in ("0.001", "0.01"):
        assert [(long, factor, short) for long, factor, part, short in rows if part == budget] == workbook


def test_what_is_scraped_is_served() -> None:
    services = compose()["services"]
    for name, job in scraped().items():
        for discovery in job.get("dns_sd_configs", ()):
            assert discovery["names"] == [name]
            assert "back" in services[name]["networks"]
    assert "--metrics-port=8002" in (DEPLOY / "serve-triton.sh").read_text()
    ports = {name: job["dns_sd_configs"][0]["port"] for name, job in scraped().items() if "dns_sd_configs" in job}
    assert ports == {"triton": 8002, "gateway": 8080, "envoy": 9902}
    listeners = yaml.safe_load((DEPLOY / "envoy" / "envoy.yaml").read_text())["static_resources"]["listeners"]
    assert ports["envoy"] in [each["address"]["socket_address"]["port_value"] for each in listeners]
    credentials = scraped()["gateway"]["authorization"]["credentials_file"]
    assert credentials.removeprefix("/run/secrets/") in services["prometheus"]["secrets"]


def test_grafana_finds_prometheus_and_the_dashboards() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/alphacut.yml").read_text())["providers"]
    grafana = compose()["services"]["grafana"]
    mounts = dict(mount.split(":")[:2] for mount in grafana["volumes"])
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert (GRAFANA / "dashboards" / home.name).is_file()


def test_committed_dashboards_are_what_the_generator_writes(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; import generate\n"
        "for board in generate.BOARDS:\n"
        "    Path(sys.argv[1], generate.path(board).name).write_text(generate.written(board))"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], cwd=GRAFANA, check=True)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_text() for path in (GRAFANA / "dashboards").iterdir()}
    assert written == committed, "run: make dashboards"


@pytest.mark.parametrize("slot", ["u2netp", "u2net"])
def test_the_energy_of_an_image_counts_it_once(slot: str) -> None:
    shown = json.loads((GRAFANA / "dashboards" / "engines.json").read_text())["panels"]
    (energy,) = (target["expr"] for panel in shown for target in panel.get("targets", ()) if "energy" in target["expr"])
    (left_out,) = re.findall(r'nv_inference_count\{model!~"([^"]+)"\}', energy)
    for mode in MODES:
        pipeline = tiers.pipeline(slot, mode)
        models = (pipeline.ensemble, pipeline.preprocess, pipeline.engine, pipeline.postprocess)
        assert [name for name in models if not re.fullmatch(left_out, name)] == [pipeline.engine]


@pytest.mark.parametrize("path", sorted((GRAFANA / "dashboards").glob("*.json")), ids=lambda path: path.stem)
def test_dashboards_hold_together(path: Path) -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    panels = json.loads(path.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [tuple(panel["gridPos"][side] for side in "xy") for panel in panels]
    assert len(set(places)) == len(places)
    for panel in panels:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == source["uid"]
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
            assert all(target["expr"] and target["legendFormat"] for target in panel["targets"])


def test_the_dashboards_show_what_was_promised() -> None:
    shown = "".join(path.read_text() for path in (GRAFANA / "dashboards").glob("*.json"))
    for metric in (
        "nv_inference_count", "nv_inference_exec_count", "nv_inference_queue_duration_us", "nv_gpu_utilization",
        "nv_gpu_memory_used_bytes", "alphacut:failures:rate5m", "alphacut_gateway_stage_seconds",
        "alphacut_gateway_errors_total", "alphacut:failed:ratio_rate", "alphacut:slow:ratio_rate",
    ):  # fmt: skip
        assert metric in shown
