"""The command line without anything behind it: which commands there are, and how they refuse."""

import errno
import inspect
import io
import os
import re
import shlex
import socket
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from app.cli import cli, watch
from app.cli.exit import Code, or_stdin, readable_errors
from app.service import Answer, Service
from app.settings.names import SettingsError
from receiver.auth import fingerprint

pytestmark = pytest.mark.usefixtures("process_is_restored")
run = CliRunner().invoke


def commands(group, above=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*above, name))
        else:
            yield (*above, name), command


ALL = dict(commands(typer.main.get_command(cli)))


def test_the_commands_are_those_of_the_design():
    names = {" ".join(path) for path, _ in commands(typer.main.get_command(cli))}

    assert names >= {
        "serve",
        "check",
        "tail",
        "wait",
        "cursor",
        "status",
        "trace",
        "open",
        "dev",
        "demo",
        "topics create",
        "topics check",
        "journal status",
        "journal drain",
        "journal show",
        "journal export",
        "journal skip",
        "rejected list",
        "rejected show",
        "rejected replay",
        "callback url",
        "callback rotate",
        "callback test",
        "trigger pingme",
        "schema list",
        "schema export",
        "schema push",
        "schema check",
        "kafka up",
        "kafka down",
        "kafka status",
        "kafka configs",
    }


def test_no_command_is_a_coroutine_that_nobody_would_await():
    for path, command in commands(typer.main.get_command(cli)):
        assert not inspect.iscoroutinefunction(inspect.unwrap(command.callback)), path


def test_it_runs_where_python_leaves_docstrings_out():
    command = [sys.executable, "-OO", "-m", "app", "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_every_command_says_what_it_does():
    for path, command in commands(typer.main.get_command(cli)):
        assert (command.help or "").strip().endswith("."), path


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_s_help_ends_with_an_example_that_is_right(path):
    command = ALL[path]
    said = command.epilog or ""
    [words] = re.findall(r"^Example: (?:[A-Z]+=\$\()?smsbus ([^|)]+?)(?: \| jq .*|\))?$", said)
    named, arguments = shlex.split(words)[: len(path)], shlex.split(words)[len(path) :]

    assert tuple(named) == path
    command.make_context(path[-1], arguments)  # raises where it cannot be parsed
    if path != ("kafka", "configs"):  # which shows the help of Kafka's own tool
        shown = run(cli, [*path, "--help"], env={"COLUMNS": "200"}).stdout
        assert shown.rstrip().endswith(said)


def test_kafka_status_names_where_it_looked_and_that_serve_keeps_its_own(tmp_path):
    result = run(cli, ["kafka", "status", "--dir", str(tmp_path)])

    assert result.exit_code == Code.FAILED
    assert f"runs in {tmp_path}" in result.stderr
    assert "`smsbus serve --local-kafka` keeps its own" in result.stderr


def test_what_kafka_status_may_not_read_is_one_line(tmp_path, monkeypatch):
    def refused(_):
        raise PermissionError(errno.EACCES, "Permission denied", "/root/kafka/running.json")

    monkeypatch.setattr("app.local_kafka.background.find", refused)
    result = run(cli, ["kafka", "status", "--dir", str(tmp_path)])

    assert (result.exit_code, result.stderr) == (1, "smsbus: /root/kafka/running.json: Permission denied\n")


@pytest.mark.loopback
def test_what_kafka_run_may_not_read_is_one_line(tmp_path, monkeypatch):
    async def classpath():
        return "a.jar"

    def refused(_):
        raise PermissionError(errno.EACCES, "Permission denied", "data/meta.properties")

    monkeypatch.setattr("app.local_kafka.cluster.kafka_classpath", classpath)
    monkeypatch.setattr("app.local_kafka.node.log_size", refused)
    monkeypatch.setattr("app.local_kafka.node.is_free", lambda _: True)
    monkeypatch.setattr("app.local_kafka.layout.is_free", lambda _: True)
    monkeypatch.setattr("app.local_kafka.cluster.quick_options", quick_options)
    result = run(cli, ["kafka", "run", "--dir", str(tmp_path)])

    assert (result.exit_code, result.stderr) == (1, "smsbus: data/meta.properties: Permission denied\n")


async def quick_options(_):
    return ()


def test_kafka_configs_becomes_the_tool_of_kafka_with_its_own_options(monkeypatch):
    became = []

    async def classpath():
        return "a.jar"

    monkeypatch.setattr("app.local_kafka.tools.kafka_classpath", classpath)
    monkeypatch.setattr("os.execve", lambda *command: became.append(command))
    run(cli, ["kafka", "configs", "--help", "--bootstrap-server", "one:9092", "--add-config", "retention.ms=-1"])

    [(java, words, environment)] = became
    assert words[0] == java
    assert words[-7:-5] == ["a.jar", "kafka.admin.ConfigCommand"]
    assert words[-5:] == ["--help", "--bootstrap-server", "one:9092", "--add-config", "retention.ms=-1"]
    assert "JAVA_TOOL_OPTIONS" not in environment


def test_without_a_command_the_help_is_shown():
    result = run(cli, [])

    assert "serve" in result.output


def test_the_version_is_one_line():
    result = run(cli, ["--version"])

    assert result.exit_code == 0
    assert result.stdout.startswith("smsbus ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["tail", "--since", "soon"],
        ["tail", "--to", "me"],
        ["rejected", "list", "--since", "soon"],
        ["trace", "nobody"],
        ["trace", "16470000000", "--since", "soon"],
        ["serve", "--role", "cook"],
        ["trigger", "nobody"],
        ["wait"],
        ["wait", "grizzly"],
        ["wait", "grizzly", "1", "--to", "1"],
        ["wait", "--to", "1", "--match", "("],
        ["wait", "--to", "1", "--timeout", "0"],
    ],
)
def test_wrong_usage_ends_with_2(arguments):
    assert run(cli, arguments).exit_code == Code.USAGE


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve"],
        ["check"],
        ["topics", "create"],
        ["topics", "check"],
        ["tail"],
        ["trace", "16470000000"],
        ["journal", "status"],
        ["journal", "show"],
        ["journal", "export", "--to", "rows"],
        ["journal", "skip", "--yes", "1"],
        ["rejected", "list"],
        ["rejected", "show", "1"],
        ["rejected", "replay", "--yes"],
        ["callback", "url", "shop"],
        ["callback", "test", "shop"],
        ["trigger", "pingme"],
    ],
)
def test_wrong_settings_end_every_command_with_2_and_a_line_for_each(environment, arguments):
    environment({"SMSBUS_RECEIVER_PORT": "1", "SMSBUS_ADMIN__PROT": "2"})

    result = run(cli, arguments)

    assert result.exit_code == Code.USAGE
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "smsbus: SMSBUS_ADMIN__PROT is not a setting: did you mean SMSBUS_ADMIN__PORT?",
        "smsbus: SMSBUS_RECEIVER_PORT is not a setting: did you mean SMSBUS_RECEIVER__PORT?",
    ]


def test_exit_codes_are_a_promise():
    assert {code.name: code.value for code in Code} == {
        "OK": 0,
        "FAILED": 1,
        "USAGE": 2,
        "TIMED_OUT": 3,
        "ENDED": 4,
        "NOT_DURABLE": 5,
        "UNAVAILABLE": 6,
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError(["one", "two"]), Code.USAGE),
        (FileNotFoundError(2, "No such file or directory", "ca.pem"), Code.FAILED),
    ],
)
def test_an_expected_error_becomes_an_exit_code(error, code):
    with pytest.raises(typer.Exit) as ended, readable_errors():
        raise error

    assert ended.value.exit_code == code


def test_a_bug_is_not_dressed_up_as_a_sentence():
    with pytest.raises(ZeroDivisionError), readable_errors():
        _ = 1 / 0


def test_a_secret_address_is_taken_from_stdin_so_that_it_does_not_stand_in_the_list_of_processes(monkeypatch):
    monkeypatch.setattr(typer, "get_text_stream", lambda _: io.StringIO("http://127.0.0.1:9/v1/pingme/x\n"))

    assert or_stdin("-") == "http://127.0.0.1:9/v1/pingme/x"
    assert or_stdin("http://127.0.0.1:8/") == "http://127.0.0.1:8/"


SHOP = '[accounts.shop]\nprovider = "pingme"\ncallback_tokens = ["old-token-old-token-0123"]\n'
POLLED = '[accounts.grizzly]\nprovider = "grizzlysms"\napi_key = "hunter2-hunter2"\n'


@pytest.fixture
def rotated(environment, tmp_path, monkeypatch):
    """Run `callback rotate` on a file of this text; the file stays as it was."""
    monkeypatch.chdir(tmp_path)

    def rotate(text, *arguments, **variables):
        environment({"SMSBUS_DATA_DIR": str(tmp_path / "own")} | variables)
        (tmp_path / "smsbus.toml").write_text(text)
        result = run(cli, ["callback", "rotate", *arguments])
        assert (tmp_path / "smsbus.toml").read_text() == text
        assert result.stdout == ""
        return result

    return rotate


@pytest.mark.parametrize("more", [[], ["--retire"]])
@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (SHOP, "shp", "there is no account shp; configured: shop"),
        (SHOP + POLLED, "grizzly", "grizzly is not a PingMe account, so it has no callback tokens"),
        (SHOP + "colour = 1\n", "shop", "colour"),
    ],
)
def test_a_token_is_rotated_for_an_account_that_the_service_would_take_and_is_called_back(
    rotated, text, name, words, more
):
    result = rotated(text, name, *more)

    assert result.exit_code == Code.USAGE
    assert words in result.stderr


@pytest.mark.parametrize("command", ["url", "test", "rotate"])
def test_an_account_that_is_polled_has_no_callback_url(environment, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    environment({})
    (tmp_path / "smsbus.toml").write_text(SHOP + POLLED)

    result = run(cli, ["callback", command, "grizzly"])

    assert (result.exit_code, result.stdout) == (Code.USAGE, "")
    assert result.stderr == "smsbus: grizzly is not a PingMe account, so it has no callback tokens\n"


def test_an_order_of_an_account_that_is_called_back_cannot_be_watched(environment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment({})
    (tmp_path / "smsbus.toml").write_text(SHOP + POLLED)

    pushed, unknown = (run(cli, ["watch", "add", name, "1"]) for name in ("shop", "shp"))

    assert (pushed.exit_code, unknown.exit_code) == (Code.USAGE, Code.USAGE)
    assert pushed.stderr == "smsbus: no polled account shop is configured; there are: grizzly\n"
    assert unknown.stderr == "smsbus: no polled account shp is configured; there are: grizzly\n"


def test_an_order_of_an_account_that_only_the_service_of_smsbus_url_has_is_watched_there(environment, monkeypatch):
    asked = []

    async def post(_, path, content):
        asked.append((path, dict(content)))
        return (
            Answer(201, {"watch_id": "w"}) if content["order_id"] == "1" else Answer(400, {"detail": "no such account"})
        )

    monkeypatch.setattr(Service, "post", post)
    monkeypatch.setattr(watch, "now_ms", lambda: 1_795_000_000_000)
    environment({"SMSBUS_URL": "http://127.0.0.1:9", "SMSBUS_TOKEN": "secret"})

    opened = run(cli, ["watch", "add", "grizzly", "1", "--rent", "--until", "20m", "--ref", "x"])
    refused = run(cli, ["watch", "add", "grizzly", "2"])

    assert (opened.exit_code, opened.stdout) == (Code.OK, "w\n")
    assert (refused.exit_code, refused.stderr) == (Code.FAILED, "smsbus: no such account\n")
    assert asked[0] == (
        "/v1/watches",
        {
            "account": "grizzly",
            "order_kind": "rent",
            "order_id": "1",
            "client_ref": "x",
            "expires_at": "2026-11-18T11:26:40.000Z",
        },
    )


def test_an_account_that_is_no_table_of_its_own_is_named_with_what_to_do(rotated):
    result = rotated(
        '[accounts]\nshop = {provider = "pingme", callback_tokens = ["old-token-old-token-0123"]}\n', "shop"
    )

    assert result.exit_code == Code.USAGE
    assert "shop is not written as a table [accounts.shop] in smsbus.toml; put the new token there" in result.stderr


def test_tokens_of_a_variable_are_put_there_by_a_person_who_then_restarts(rotated):
    tokens = {"SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "x" * 24}

    result = rotated(SHOP, "shop", **tokens)

    before, new = result.stderr.splitlines()
    assert result.exit_code == Code.FAILED
    assert "come from SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS, which you have to change yourself: " in before
    assert before.endswith(
        "put this one before them, a comma between, then restart the service (SIGHUP does not read variables)"
    )
    assert len(new.removeprefix("smsbus: ")) == 32


OF_A_FILE = {"SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS_FILE": "tokens"}
WITHOUT_TOKENS = '[accounts.shop]\nprovider = "pingme"\n'


def test_tokens_of_a_file_that_may_not_be_replaced_are_put_there_by_a_person_and_taken_up_by_sighup(
    rotated, tmp_path, monkeypatch
):
    (tmp_path / "tokens").write_text("x" * 24)

    def refused(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("app.settings.rotation._replace", refused)
    result = rotated(WITHOUT_TOKENS, "shop", **OF_A_FILE)

    before, new = result.stderr.splitlines()
    assert result.exit_code == Code.FAILED
    assert "come from the file tokens (SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS_FILE)" in before
    assert "which you have to change yourself (Permission denied): " in before
    assert before.endswith("put this one before them, a comma between, then send the service SIGHUP")
    assert len(new.removeprefix("smsbus: ")) == 32


def test_tokens_of_a_file_of_their_own_are_rotated_and_retired_there(environment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment({"SMSBUS_DATA_DIR": str(tmp_path / "own")} | OF_A_FILE)
    (tmp_path / "smsbus.toml").write_text(WITHOUT_TOKENS)
    file = tmp_path / "tokens"
    file.write_text("x" * 24 + "\n")
    file.chmod(0o600)

    put = run(cli, ["callback", "rotate", "shop"])
    both = file.read_text()
    retired = run(cli, ["callback", "rotate", "shop", "--retire", "--force"])

    new = put.stdout.strip()
    assert (put.exit_code, retired.exit_code) == (0, 0)
    assert both == f"{new},{'x' * 24}\n"
    assert "tokens is changed: send the service SIGHUP" in put.stderr
    assert "tokens is changed, 1 old token(s) removed: send the service SIGHUP" in retired.stderr
    assert "more than one" not in retired.stderr
    assert file.read_text() == f"{new}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "smsbus.toml").read_text() == WITHOUT_TOKENS


def test_who_retires_what_was_rotated_twice_is_asked_which_url_pingme_has(environment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment({"SMSBUS_DATA_DIR": str(tmp_path / "own")} | OF_A_FILE)
    (tmp_path / "smsbus.toml").write_text(WITHOUT_TOKENS)
    (tmp_path / "tokens").write_text("x" * 24 + "\n")
    for _ in "12":
        run(cli, ["callback", "rotate", "shop"])

    retired = run(cli, ["callback", "rotate", "shop", "--retire", "--force"])

    assert "2 old token(s) removed" in retired.stderr
    assert "does PingMe have the URL that is left (`smsbus callback url shop`)?" in retired.stderr


def test_a_new_token_is_printed_alone_and_its_fingerprint_beside_it(environment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment({"SMSBUS_DATA_DIR": str(tmp_path / "own")})
    (tmp_path / "smsbus.toml").write_text(SHOP)

    result = run(cli, ["callback", "rotate", "shop"])

    new = result.stdout.removesuffix("\n")
    assert new in (tmp_path / "smsbus.toml").read_text()
    assert f"its fingerprint in GET /v1/callbacks: {fingerprint(new)}\n" in result.stderr
    assert new not in result.stderr


@pytest.mark.loopback
def test_a_port_of_the_sandbox_that_is_in_use_is_named_with_the_option(environment, tmp_path):
    environment({"SMSBUS_DATA_DIR": str(tmp_path)})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(cli, ["sandbox", "--port", str(port)])

    assert (result.exit_code, result.stdout) == (Code.USAGE, "")
    assert result.stderr == f"smsbus: port {port} is in use: choose another with --port\n"
    assert list(tmp_path.iterdir()) == []


def test_a_settings_file_that_may_not_be_read_is_one_line(environment, tmp_path, monkeypatch):
    file = tmp_path / "smsbus.toml"
    file.touch()
    environment({})
    may, opened = os.access, open
    monkeypatch.setattr(os, "access", lambda path, *more, **other: str(path) != str(file) and may(path, *more, **other))

    def closed(path, *more, **other):  # played: a test may run as root, who may do everything
        if str(path) == str(file):
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *more, **other)

    monkeypatch.setattr("builtins.open", closed)

    result = run(cli, ["check", "--config", str(file)])

    assert result.exit_code == Code.USAGE
    assert result.stderr == f"smsbus: {file} cannot be read: Permission denied\n"


@pytest.mark.parametrize("command", [["status"], ["drain"], ["show", "--directory"]], ids=lambda words: words[0])
def test_journals_that_may_not_be_read_are_one_line(environment, tmp_path, monkeypatch, command):
    environment({})
    may = os.access
    monkeypatch.setattr(
        os, "access", lambda path, *more, **other: str(path) != str(tmp_path) and may(path, *more, **other)
    )

    result = run(cli, ["journal", *command, str(tmp_path)])

    assert result.exit_code == Code.FAILED
    assert result.stderr.startswith(f"smsbus: {tmp_path} cannot be opened by this user (permission denied)")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [["serve"], ["topics", "check"], ["tail", "-n", "1"]])
def test_a_certificate_that_cannot_be_used_is_a_setting_that_is_wrong(environment, tmp_path, command):
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    ours = {"SMSBUS_DATA_DIR": str(tmp_path), "SMSBUS_RECEIVER__PORT": "0", "SMSBUS_ADMIN__PORT": "0"}
    shop = {"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "x" * 24}
    environment(ours | shop | {"SMSBUS_KAFKA__SECURITY_PROTOCOL": "SSL", "SMSBUS_KAFKA__SSL_CAFILE": str(file)})

    result = run(cli, command)

    assert result.exit_code == Code.USAGE
    assert f"SMSBUS_KAFKA__SSL_CAFILE={file} cannot be used" in result.stderr


def test_an_account_that_is_not_called_back_cannot_be_posted_to(environment):
    environment(
        {
            "SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme",
            "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "x" * 24,
        }
    )

    result = run(cli, ["trigger", "pingme", "--account", "shp"])

    assert (result.exit_code, result.stderr) == (Code.USAGE, "smsbus: there is no account shp; configured: shop\n")


def test_an_order_without_the_sandbox_s_settings_says_where_they_come_from(environment):
    environment({})

    result = run(cli, ["trigger", "activation", "grizzlysms"])

    assert result.exit_code == Code.USAGE
    assert result.stderr.endswith("with a base_url: source the lines that `smsbus sandbox` printed\n")


def test_a_token_file_of_the_sandbox_that_is_not_there_is_named(environment, tmp_path):
    environment(
        {
            "SMSBUS_ACCOUNTS__G__PROVIDER": "grizzlysms",
            "SMSBUS_ACCOUNTS__G__API_KEY": "hunter2-hunter2",
            "SMSBUS_ACCOUNTS__G__BASE_URL": "http://127.0.0.1:9/x",
        }
    )

    result = run(cli, ["trigger", "activation", "g", "--token-file", str(tmp_path / "nope")])

    assert (result.exit_code, result.stderr) == (Code.USAGE, f"smsbus: {tmp_path}/nope does not exist\n")


def test_the_page_of_the_service_that_the_environment_names(environment):
    environment({"SMSBUS_URL": "http://127.0.0.1:8081/", "SMSBUS_TOKEN": "secret"})

    assert run(cli, ["open", "--print"]).stdout == "http://127.0.0.1:8081/#token=secret\n"


def test_the_variables_of_clients_are_no_unknown_settings(environment, tmp_path):
    environment({"SMSBUS_URL": "http://127.0.0.1:8081", "SMSBUS_TOKEN": "secret", "SMSBUS_DATA_DIR": str(tmp_path)})

    assert "is not a setting" not in run(cli, ["journal", "status"]).output


def test_without_a_token_the_service_of_this_machine_cannot_be_asked(environment, tmp_path):
    environment({"SMSBUS_DATA_DIR": str(tmp_path)})

    result = run(cli, ["status"])

    assert (result.exit_code, "SMSBUS_URL must be its address" in result.output) == (Code.FAILED, True)


@pytest.mark.parametrize("path", [*ALL], ids=" ".join)
def test_help_is_wrapped_once_by_the_terminal(path):
    assert all("\n" not in paragraph for paragraph in (ALL[path].help or "").split("\n\n"))
