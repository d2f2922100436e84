"""The commands that give a user its rights, as an administrator pastes them into a shell."""

import shlex

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.cli.exit import Code
from schemas.topics import ALL, RECEIVED, REJECTED, WATCH_ENDED, WATCHES

pytestmark = pytest.mark.usefixtures("process_is_restored")
run = CliRunner().invoke
OPERATIONS = ("Read", "Write", "Describe", "IdempotentWrite")
LOGIN = {
    "SMSBUS_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
    "SMSBUS_KAFKA__SASL_MECHANISM": "SCRAM-SHA-512",
    "SMSBUS_KAFKA__SASL_PLAIN_USERNAME": "receiver",
    "SMSBUS_KAFKA__SASL_PLAIN_PASSWORD": "a password",
}


def principals(printed):
    words = [shlex.split(line) for line in printed.splitlines()]
    return {line[line.index("--allow-principal") + 1] for line in words}


def test_who_is_not_named_is_the_user_that_we_log_in_as(environment):
    environment(LOGIN)

    assert principals(run(cli, ["topics", "print"]).stdout) == {"User:receiver"}
    assert principals(run(cli, ["topics", "print", "--user", "pollers"]).stdout) == {"User:pollers"}


def test_who_logs_in_as_nobody_has_to_be_named(environment):
    environment({})

    result = run(cli, ["topics", "print"])

    assert (result.exit_code, result.stdout) == (Code.USAGE, "")
    assert "give --user: the settings log in as nobody (SMSBUS_KAFKA__SECURITY_PROTOCOL=PLAINTEXT)" in result.stderr


def test_it_is_said_where_the_tool_is_and_who_runs_it(environment):
    environment(LOGIN)

    assert "an administrator runs these" in run(cli, ["topics", "print"]).stderr
    assert "bin/ of a Kafka distribution" in run(cli, ["topics", "print"]).stderr


def test_a_certificate_does_not_tell_us_who_we_are(environment, tmp_path):
    certificate = tmp_path / "client.pem"
    certificate.touch()
    environment({"SMSBUS_KAFKA__SECURITY_PROTOCOL": "SSL", "SMSBUS_KAFKA__SSL_CERTFILE": str(certificate)})

    result = run(cli, ["topics", "print"])

    assert (result.exit_code, result.stdout) == (Code.USAGE, "")
    assert "give --user" in result.stderr
    assert f"openssl x509 -noout -subject -nameopt RFC2253,-esc_msb -in {certificate}" in result.stderr


@pytest.mark.parametrize("user", ["CN=receiver,OU=SMS,O=Müller & Sons\\, Inc.", "CN=the receiver's,C=$HOME"])
def test_a_subject_stays_one_word_in_a_shell(environment, user):
    environment({"SMSBUS_KAFKA__SECURITY_PROTOCOL": "SSL"})

    assert principals(run(cli, ["topics", "print", "--user", user]).stdout) == {f"User:{user}"}


def test_the_administrator_must_prove_who_he_is_where_we_must(environment):
    environment({"SMSBUS_KAFKA__BOOTSTRAP_SERVERS": "one:9092, two:9092"})
    bare = run(cli, ["topics", "print", "--user", "receiver"]).stdout
    environment(LOGIN)

    assert all(
        line.startswith("kafka-acls.sh --bootstrap-server one:9092,two:9092 --add") for line in bare.splitlines()
    )
    assert "--command-config" not in bare
    assert "--command-config admin.properties" in run(cli, ["topics", "print"]).stdout


def given(role: str) -> dict[str, set[str]]:
    """What is allowed on each topic, and under `other` on what else."""
    found: dict[str, set[str]] = {}
    for line in run(cli, ["topics", "print", "--role", role]).stdout.splitlines():
        words = shlex.split(line)
        name = words[words.index("--topic") + 1] if "--topic" in words else "other"
        found.setdefault(name, set()).update(word for word in OPERATIONS if word in words)
    return found


def test_an_inbox_reads_and_describes_every_topic_and_no_more(environment):
    environment(LOGIN)

    assert given("inbox") == {name: {"Read", "Describe"} for name in ALL} | {"other": {"Describe"}}


def test_forwarding_reads_what_it_sends_writes_dead_letters_and_has_groups_of_its_own(environment):
    environment(LOGIN)

    reads = {RECEIVED: {"Read", "Describe"}, WATCH_ENDED: {"Read", "Describe"}}
    assert given("forward") == reads | {REJECTED: {"Write", "Describe"}, "other": {"Read"}}
    last = shlex.split(run(cli, ["topics", "print", "--role", "forward"]).stdout.splitlines()[-1])
    assert last[-4:] == ["--group", "smsbus-forward-", "--resource-pattern-type", "prefixed"]


def test_an_inbox_writes_commands_only_where_orders_may_be_commanded(environment):
    environment(
        LOGIN | {"SMSBUS_ACCOUNTS__G__PROVIDER": "grizzlysms", "SMSBUS_ACCOUNTS__G__API_KEY": "hunter2-hunter2"}
    )

    reads = {name: {"Read", "Describe"} for name in ALL} | {"other": {"Describe"}}
    assert given("inbox") == reads | {WATCHES: {"Read", "Write", "Describe"}}


def test_a_process_that_is_all_may_what_its_parts_may_together(environment):
    environment(LOGIN)
    parts = [given(role) for role in ("receiver", "pollers", "inbox")]

    assert given("all") == {name: set().union(*(part.get(name, set()) for part in parts)) for name in {*ALL, "other"}}
