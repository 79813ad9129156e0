"""The files for a cluster, read as data: what they set is a setting, what they ask for is answered, what they name is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from starlette.routing import Match

from skipviz.settings import Settings
from skipviz.web.http import routes

ROOT = Path(__file__).resolve().parents[2]
HOSTING = ROOT / "assets" / "hosting"
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
SECRETS = {"SKIPVIZ_DATABASE_URL": "postgresql://skipviz:secret@database/skipviz"}
COMPOSE = yaml.safe_load((HOSTING / "compose.yaml").read_text())
KUBERNETES = list(yaml.safe_load_all((HOSTING / "kubernetes.yaml").read_text()))


def kind(name):
    [found] = [document for document in KUBERNETES if document["kind"] == name]
    return found


def groups():
    """Return the head's and the nodes' groups of the Ray cluster."""
    spec = kind("RayCluster")["spec"]
    return [spec["headGroupSpec"], *spec["workerGroupSpecs"]]


def containers():
    """Return every container that Kubernetes starts, by its name."""
    templates = [group["template"] for group in groups()] + [kind("Deployment")["spec"]["template"]]
    return {container["name"]: container for template in templates for container in template["spec"]["containers"]}


def environments():
    """Return what is set for a server: by compose, and on Kubernetes with secrets in place."""
    composed = {name: SECRETS.get(name, value) for name, value in COMPOSE["services"]["server"]["environment"].items()}
    given = {one["name"]: one.get("value", SECRETS.get(one["name"])) for one in containers()["server"]["env"]}
    return [composed, given]


@pytest.mark.parametrize("environment", environments(), ids=("compose", "kubernetes"))
def test_every_setting_of_a_server_exists_and_is_taken(environment, monkeypatch):
    named = {name.removeprefix("SKIPVIZ_").lower() for name in environment if name.startswith("SKIPVIZ_")}
    assert {"ray", "database_url", "data_dir"} <= named <= set(Settings.model_fields)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.public
    assert settings.ray == environment["SKIPVIZ_RAY"]


def test_servers_and_nodes_find_the_head():
    services = COMPOSE["services"]
    [port] = re.findall(r"--port=(\d+)", services["head"]["command"])
    at = f"head:{port}"
    assert at == services["server"]["environment"]["SKIPVIZ_RAY"]
    assert f"--address={at}" in services["node"]["command"]
    assert f"--address={at}" in services["server"]["command"][-1]
    there = f"{kind('RayCluster')['metadata']['name']}-head-svc:6379"  # as KubeRay's operator names a head's service
    server = containers()["server"]
    assert {one["name"]: one.get("value") for one in server["env"]}["SKIPVIZ_RAY"] == there
    assert f"--address={there}" in server["args"][0]


def test_servers_and_nodes_are_one_image_and_share_the_folder_of_checkpoints():
    services = COMPOSE["services"]
    assert {services[name]["image"] for name in ("head", "node", "server")} == {"skipviz-cluster"}
    assert {services[name]["volumes"][0] for name in ("node", "server")} == {"data:/data"}
    assert len({container["image"] for container in containers().values()}) == 1
    assert {containers()[name]["volumeMounts"][0]["mountPath"] for name in ("node", "server")} == {"/data"}
    assert kind("PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteMany"]


def test_only_nodes_give_the_cluster_cores_and_never_more_than_their_limits():
    services = COMPOSE["services"]
    for name in ("head", "server"):
        assert "--num-cpus=0" in str(services[name]["command"])
    [cores], [memory] = (re.findall(rf"--{what}=(\d+)", services["node"]["command"]) for what in ("num-cpus", "memory"))
    limits = services["node"]["deploy"]["resources"]["limits"]
    assert float(cores) <= float(limits["cpus"])
    assert int(memory) + 1e9 <= int(limits["memory"].removesuffix("g")) * 2**30  # the warm process, and Ray's own
    head, nodes = groups()
    assert head["rayStartParams"]["num-cpus"] == "0"
    limits = containers()["node"]["resources"]["limits"]
    assert float(nodes["rayStartParams"]["num-cpus"]) <= float(limits["cpu"])
    assert int(nodes["rayStartParams"]["memory"]) + 1e9 <= int(limits["memory"].removesuffix("Gi")) * 2**30


def test_what_a_host_asks_is_answered_by_a_route_and_all_have_limits():
    server = containers()["server"]
    asked = {server[f"{what}Probe"]["httpGet"]["path"] for what in ("startup", "liveness", "readiness")}
    for path in asked:
        scope = {"type": "http", "path": path, "method": "GET", "root_path": "", "headers": []}
        assert any(route.matches(scope)[0] is Match.FULL for route in routes.routes), path
    assert all("limits" in container["resources"] for container in containers().values())
    assert all("limits" in service["deploy"]["resources"] for service in COMPOSE["services"].values())


@pytest.mark.skipif(NGINX is None, reason="nginx is missing")
def test_nginx_takes_what_compose_gives_it(tmp_path):
    site = COMPOSE["configs"]["proxy"]["content"].replace("$$", "$").replace("server:8501", "127.0.0.1:8501")
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {site} }}")
    tried = subprocess.run([NGINX, "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stderr


def test_a_server_that_is_told_to_end_has_time_to_keep_its_runs():
    assert COMPOSE["services"]["server"]["stop_grace_period"] == "60s"
    assert kind("Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= 60
    assert "exec streamlit" in COMPOSE["services"]["server"]["command"][-1]
    assert "exec streamlit" in containers()["server"]["args"][0]


@pytest.mark.parametrize("file", ["compose.yaml", "kubernetes.yaml"])
def test_a_file_that_was_not_tried_says_so(file):
    assert "Not tried" in "\n".join((HOSTING / file).read_text().splitlines()[:3])
