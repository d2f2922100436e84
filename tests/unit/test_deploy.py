"""What can be checked of deploy/ without a container engine: that it fits the program, and that it is careful."""

import json
import os
import re
import shlex
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from app.cli import cli
from app.init.answers import Answers
from app.init.files import files_of
from app.settings.load import Settings
from app.settings.names import unknown_variables
from app.stopping import WATCHDOG_SECONDS

DEPLOY = Path(__file__).parents[2] / "deploy"
MANIFESTS = sorted(DEPLOY.glob("kubernetes/*.yaml"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def stateful_set(manifest: Path) -> dict[str, Any]:
    (found,) = (each for each in yaml.safe_load_all(manifest.read_text()) if each["kind"] == "StatefulSet")
    return found


def pod(manifest: Path) -> dict[str, Any]:
    return stateful_set(manifest)["spec"]["template"]["spec"]


def container(manifest: Path) -> dict[str, Any]:
    (found,) = pod(manifest)["containers"]
    return found


def is_command(words: list[str]) -> bool:
    command: Any = typer.main.get_command(cli)
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    options = {option for parameter in command.params for option in parameter.opts}
    return not hasattr(command, "commands") and {word for word in words if word.startswith("-")} <= options


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_the_environment_of_a_pod_is_known_to_the_program(manifest: Path) -> None:
    names = {each["name"]: each.get("value", "x") for each in container(manifest)["env"]}

    assert unknown_variables(Settings, names) == []
    assert is_command(container(manifest)["args"])


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_a_pod_drains_before_it_is_killed_and_keeps_its_journal(manifest: Path) -> None:
    spec = pod(manifest)
    data_dir = next(each["value"] for each in container(manifest)["env"] if each["name"] == "SMSBUS_DATA_DIR")
    mounts = {mount["mountPath"]: mount["name"] for mount in container(manifest)["volumeMounts"]}
    claims = {claim["metadata"]["name"] for claim in stateful_set(manifest)["spec"]["volumeClaimTemplates"]}

    variables = {each["name"]: each.get("value") for each in container(manifest)["env"]}
    lame_duck = float(variables.get("SMSBUS_RECEIVER__LAME_DUCK", "0"))
    assert spec["terminationGracePeriodSeconds"] > lame_duck + WATCHDOG_SECONDS
    assert lame_duck >= 10 or "receiver" not in manifest.stem, "a rolling update would refuse callbacks"
    assert mounts[data_dir] in claims
    assert spec["enableServiceLinks"] is False


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_a_pod_has_no_more_rights_than_it_needs(manifest: Path) -> None:
    rights = container(manifest)["securityContext"]

    assert pod(manifest)["securityContext"]["runAsNonRoot"] is True
    assert rights == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(manifest)["automountServiceAccountToken"] is False


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_probes_ask_the_admin_listener_and_liveness_asks_no_dependency(manifest: Path) -> None:
    ports = {port["name"]: port["containerPort"] for port in container(manifest)["ports"]}
    probes = {name: container(manifest)[name]["httpGet"] for name in ("livenessProbe", "readinessProbe")}

    assert {name: probe["path"] for name, probe in probes.items()} == {
        "livenessProbe": "/livez",
        "readinessProbe": "/readyz",
    }
    assert {ports[probe["port"]] for probe in probes.values()} == {Settings.model_fields["admin"].default.port}


@pytest.mark.parametrize("name", ["topics", "smsbus"])
def test_the_compose_services_fit_the_program(name: str) -> None:
    service = COMPOSE["services"][name]

    assert unknown_variables(Settings, service["environment"]) == []
    assert is_command(service.get("command", ["serve"]))
    assert service["read_only"] is True


def test_the_compose_file_is_what_init_writes() -> None:
    answers = Answers(form="compose", domain="sms.example.org", accounts={"shop": "pingme"})
    texts = {file.path: file.text for file in files_of(answers)}

    assert (DEPLOY / "compose.yaml").read_text() == texts["compose.yaml"]


def test_the_compose_file_keeps_data_and_lets_the_service_drain() -> None:
    service = COMPOSE["services"]["smsbus"]
    volume, _, path = service["volumes"][-1].partition(":")

    assert set(COMPOSE["volumes"]) == {volume, "kafka-data", "caddy-data", "caddy-config"}
    assert f"SMSBUS_DATA_DIR={path}" in DOCKERFILE
    assert int(service["stop_grace_period"].removesuffix("s")) > WATCHDOG_SECONDS


def test_the_image_runs_as_nobody_special_from_locked_dependencies() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    variables = dict(word.split("=", 1) for word in shlex.split(re.search(r"^ENV (.*)$", final, re.MULTILINE)[1]))

    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    assert unknown_variables(Settings, {k: v for k, v in variables.items() if k.startswith("SMSBUS_")}) == []
    assert re.search(r'^CMD \["serve"\]$', final, re.MULTILINE)
    assert "/livez" in re.search(r"^HEALTHCHECK (.*\n.*)$", final, re.MULTILINE)[1]


@pytest.mark.loopback
@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_image_s_health_check_asks_our_own_port_through_no_proxy(status: int, code: int) -> None:
    class Livez(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    _, *arguments = json.loads(re.search(r"^HEALTHCHECK .*\n +CMD (.*)$", DOCKERFILE, re.MULTILINE)[1])
    with HTTPServer(("127.0.0.1", 0), Livez) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        told = {"SMSBUS_ADMIN__PORT": str(server.server_port), "http_proxy": "http://127.0.0.1:9"}
        asked = subprocess.run([sys.executable, *arguments], env=os.environ | told, check=False, timeout=20)

    assert asked.returncode == code
