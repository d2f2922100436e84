"""The files of an installation fit the program and systemd, Caddy and Compose take them."""

import itertools
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from compose_spec.compose_spec import PyCompose

from app.init.answers import secrets_of
from app.init.files import CADDYFILE, KAFKA, SERVICE, SOCKET, UNITS, WRAPPER, files_of
from app.settings.load import Settings, load
from app.settings.names import unknown_variables
from app.stopping import WATCHDOG_SECONDS
from receiver.settings import ReceiverSettings
from tests.unit.app.init.installation import DOMAIN, answers

ACCOUNTS = {"shop": "pingme", "grizzly": "grizzlysms"}
THRESHOLD = 15


def texts(form: str = "systemd", **more: object) -> dict[str, str]:
    return {file.path: file.text for file in files_of(answers(form, **more))}


def unit(name: str, **more: object) -> dict[str, list[str]]:
    """Return each key of a unit with its values."""
    lines = [line.partition("=") for line in texts(**more)[f"{UNITS}/{name}"].splitlines() if line[:1].isalpha()]
    return {key: [value for name, _, value in lines if name == key] for key, _, _ in lines}


def variables_of(form: str, **more: object) -> dict[str, str]:
    if form == "compose":
        return compose(**more)["services"]["smsbus"]["environment"]
    lines = texts(**more)["etc/smsbus/smsbus.env"].splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


# ---- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["systemd", "compose"])
@pytest.mark.parametrize("servers", ["local", "kafka-1:9092,kafka-2:9092"])
def test_the_service_takes_its_settings(environment, monkeypatch, tmp_path, form, servers):
    said = answers(form, accounts=ACCOUNTS, kafka=servers)
    path = "etc/smsbus/smsbus.toml" if form == "systemd" else "smsbus.toml"
    (tmp_path / "smsbus.toml").write_text(texts(form, accounts=ACCOUNTS, kafka=servers)[path])
    (tmp_path / "secret").write_text("x" * 30 + "\n")
    variables = variables_of(form, accounts=ACCOUNTS, kafka=servers)
    secrets = {each.variable: str(tmp_path / "secret") for each in secrets_of(said)}
    environment({**variables, **secrets, "SMSBUS_CONFIG": str(tmp_path / "smsbus.toml")})

    settings = load()

    assert {name: account.provider for name, account in settings.accounts.items()} == ACCOUNTS
    assert settings.callback_url("T") == f"https://{DOMAIN}/v1/pingme/T"
    assert str(settings.data_dir) == "/var/lib/smsbus"
    assert settings.kafka.bootstrap_servers == (
        {"systemd": "127.0.0.1:9092", "compose": "kafka:9092"}[form] if servers == "local" else servers
    )


def test_no_secret_is_in_a_file_that_others_may_read():
    assert {file.mode for file in files_of(answers(accounts=ACCOUNTS))} == {0o640, 0o644, 0o755}
    assert "accounts" not in tomllib.loads(texts()["etc/smsbus/smsbus.toml"])


# ---- systemd ---------------------------------------------------------------------------------------------------------


def test_the_unit_says_when_it_serves_and_lives_and_drains_before_it_is_killed():
    service = unit(SERVICE)

    assert service["Type"] == ["notify"]
    assert service["KillMode"] == ["mixed"]
    assert service["ExecStart"] == ["/opt/smsbus/bin/smsbus serve"]
    assert service["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert service["User"] == ["smsbus"]
    assert service["StateDirectory"] == ["smsbus"]
    assert int(service["TimeoutStopSec"][0]) > WATCHDOG_SECONDS
    assert int(service["WatchdogSec"][0]) > WATCHDOG_SECONDS
    assert int(service["LimitNOFILE"][0]) > ReceiverSettings().max_connections + 1400
    assert "MemoryDenyWriteExecute" in service


def test_the_socket_is_where_the_settings_say_and_the_service_needs_it():
    receiver = tomllib.loads(texts()["etc/smsbus/smsbus.toml"])["receiver"]

    assert unit(SOCKET)["ListenStream"] == [f"{receiver['host']}:{receiver['port']}"]
    assert unit(SERVICE)["Requires"] == [SOCKET]


def test_a_local_kafka_is_a_unit_of_its_own_that_may_compile_and_a_foreign_one_is_none():
    local, foreign = texts(), texts(kafka="broker:9092")

    assert "MemoryDenyWriteExecute" not in unit(KAFKA)
    assert unit(KAFKA)["Type"] == ["notify"]
    assert f"{UNITS}/{KAFKA}" not in foreign
    assert KAFKA in local[f"{UNITS}/{SERVICE}"]
    assert "smsbus-kafka" not in "".join(foreign.values())


def test_the_environment_names_each_secret_and_nothing_that_the_program_does_not_know():
    variables = variables_of("systemd", accounts=ACCOUNTS)

    assert unknown_variables(Settings, variables) == []
    assert {name for name in variables if name.endswith("_FILE")} == {
        each.variable for each in secrets_of(answers(accounts=ACCOUNTS))
    }


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", [SERVICE, KAFKA])
def test_the_sandbox_leaves_little(tmp_path, name):
    (tmp_path / name).write_text(texts()[f"{UNITS}/{name}"])

    found = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={THRESHOLD}", "--no-pager", tmp_path / name],
        capture_output=True,
        text=True,
    )

    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_each_line_of_the_units(tmp_path):
    for name in (SERVICE, SOCKET, KAFKA):
        text = texts(program=sys.executable)[f"{UNITS}/{name}"].replace(f"{sys.executable} ", "/bin/true ")
        (tmp_path / name).write_text(text)

    paths = [tmp_path / name for name in (SERVICE, SOCKET, KAFKA)]
    found = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True)
    ours = [line for line in found.stderr.splitlines() if "smsbus" in line]

    assert ours == []


def test_the_command_of_the_machine_runs_as_the_service_s_user_but_for_init(tmp_path):
    text = texts(program="/bin/echo")[WRAPPER]
    (tmp_path / "smsbus").write_text(text)

    said = subprocess.run(["sh", tmp_path / "smsbus", "init", "--yes"], capture_output=True, text=True, check=True)

    assert said.stdout == "init --yes\n"
    assert subprocess.run(["sh", "-n", tmp_path / "smsbus"]).returncode == 0
    assert "--reuid=smsbus" in text


@pytest.fixture
def as_service(tmp_path):
    """Run the command of the machine in a directory, as root with `setpriv` played, and return what it ran as."""
    (tmp_path / "smsbus.env").write_text("SMSBUS_CONFIG=/etc/smsbus/smsbus.toml\n")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "program"
    for name, lines in {
        "id": "echo 0",
        "setpriv": 'while [ "$1" != -- ]; do shift; done\nshift\n[ -z "${BARRED-}" ] || rmdir "$BARRED"\nexec "$@"',
        "program": 'pwd; echo "$HOME ${XDG_CACHE_HOME-none} ${XDG_STATE_HOME-none} $SMSBUS_CONFIG $*"',
    }.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{lines}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    text = texts(program=str(program))[WRAPPER].replace("/etc/smsbus/smsbus.env", str(tmp_path / "smsbus.env"))
    (tmp_path / "smsbus").write_text(text)

    def run(where, **more):
        environ = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "HOME": "/root", "XDG_CACHE_HOME": "/root/.c"} | more
        command = ["sh", tmp_path / "smsbus", "journal", "show one"]
        return subprocess.run(command, cwd=where, env=environ, capture_output=True, text=True).stdout.splitlines()

    return run


def test_the_command_of_the_machine_has_the_service_s_home_and_stays_where_it_was_called(as_service, tmp_path):
    assert as_service(tmp_path) == [
        str(tmp_path),
        "/var/lib/smsbus none none /etc/smsbus/smsbus.toml journal show one",
    ]


def test_a_directory_that_its_user_may_not_enter_is_left(as_service, tmp_path):
    (tmp_path / "gone").mkdir()

    assert as_service(tmp_path / "gone", BARRED=str(tmp_path / "gone"))[0] == "/"


# ---- Caddy -----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed")
@pytest.mark.parametrize("page", ["ssh", "page.example.org"])
@pytest.mark.parametrize(("form", "path"), [("systemd", CADDYFILE), ("compose", "Caddyfile")])
def test_caddy_takes_its_file_as_it_would_write_it(tmp_path, form, path, page):
    text = texts(form, page=page)[path].replace("\t\t\trequest_buffers 256KiB\n", "")  # Debian 12 has Caddy 2.6
    (tmp_path / "Caddyfile").write_text(text)
    home = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}

    valid = subprocess.run(
        ["caddy", "validate", "--adapter", "caddyfile", "--config", tmp_path / "Caddyfile"],
        env=home,
        capture_output=True,
        text=True,
    )
    formatted = subprocess.run(["caddy", "fmt", tmp_path / "Caddyfile"], env=home, capture_output=True, text=True)

    assert valid.returncode == 0, valid.stderr
    assert formatted.stdout == text


def test_caddy_s_limits_fit_the_receiver_s():
    text, receiver = texts()[CADDYFILE], ReceiverSettings()
    seconds = dict(re.findall(r"^\s+(\w+) (\d+)s$", text, re.MULTILINE))

    assert receiver.max_body == 256 * 1024, "request_buffers"
    assert int(seconds["keepalive"]) < receiver.keepalive_timeout
    assert int(seconds["read_body"]) > receiver.body_deadline
    assert int(seconds["response_header_timeout"]) > 2 * receiver.body_deadline


def test_what_is_tried_again_is_at_hand():
    """Caddy closes the body with the first connection that fails, unless it has buffered it."""
    assert "lb_try_duration" not in texts()[CADDYFILE]
    assert re.search(r"request_buffers 256KiB\n\s+lb_try_duration", texts("compose")["Caddyfile"])


def test_only_callbacks_pass_and_no_path_is_logged():
    text = texts()[CADDYFILE]

    assert re.findall(r"^\s*@\w+ path (.*)$", text, re.MULTILINE) == ["/v1/pingme/*"]
    assert "respond 404" in text
    assert "request>uri delete" in text
    assert "8081" not in text


def test_who_has_a_proxy_gets_no_caddyfile():
    assert CADDYFILE not in texts(proxy="own")
    assert "caddy" not in texts("compose", proxy="own")["compose.yaml"].lower().replace("caddy is in front", "")


# ---- Compose ---------------------------------------------------------------------------------------------------------


def compose(**more: object) -> dict:
    return yaml.safe_load(texts("compose", **more)["compose.yaml"])


@pytest.mark.parametrize(
    ("accounts", "servers", "proxy"),
    list(itertools.product([{"shop": "pingme"}, ACCOUNTS], ["local", "broker:9092"], ["caddy", "own"])),
)
def test_the_compose_file_is_of_the_compose_specification(accounts, servers, proxy):
    text = texts("compose", accounts=accounts, kafka=servers, proxy=proxy)["compose.yaml"]

    PyCompose.from_yaml(yaml.safe_dump(yaml.safe_load(text)))  # without anchors; strict


def test_a_typo_in_a_compose_file_would_be_noticed():
    text = texts("compose")["compose.yaml"].replace("cap_drop", "cap_dorp")

    with pytest.raises(ValueError, match="cap_dorp"):
        PyCompose.from_yaml(yaml.safe_dump(yaml.safe_load(text)))


def test_each_container_has_limits_and_no_rights():
    for name, service in compose(page="page.example.org")["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}
        assert "mem_limit" in service
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])


def test_ports_but_caddy_s_are_this_machine_s_alone():
    ports = {name: service.get("ports", []) for name, service in compose()["services"].items()}

    assert ports.pop("caddy") == ["80:80", "443:443", "443:443/udp"]
    assert all(port.startswith("127.0.0.1:") for each in ports.values() for port in each)


def test_secrets_are_files_that_the_service_reads():
    found, needed = compose(accounts=ACCOUNTS), secrets_of(answers("compose", accounts=ACCOUNTS))
    service = found["services"]["smsbus"]
    variables = service["environment"]

    assert unknown_variables(Settings, variables) == []
    assert {each.variable: f"/run/secrets/{each.name}" for each in needed}.items() <= variables.items()
    assert service["secrets"] == [each.name for each in needed]
    assert found["secrets"] == {each.name: {"file": f"./secrets/{each.name}"} for each in needed}


def test_a_container_drains_before_it_is_killed_and_keeps_its_journal():
    found = compose()
    service = found["services"]["smsbus"]

    assert int(service["stop_grace_period"].removesuffix("s")) > WATCHDOG_SECONDS
    assert "journal:/var/lib/smsbus" in service["volumes"]
    assert set(found["volumes"]) == {"journal", "kafka-data", "caddy-data", "caddy-config"}
