"""`smsbus schema export|push|check`, with a stub of a registry. A real one: tests/integration/test_apicurio.py."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.cli.exit import Code
from schemas.documents.export import FORMATS, documents
from schemas.documents.reader_schema import draft7
from schemas.messages import VALUES, SmsReceived
from tests.registry_stub import RegistryStub, registry_stub

pytestmark = [pytest.mark.usefixtures("process_is_restored", "elsewhere"), pytest.mark.loopback]
RECEIVED = "sms.received.v1-value"


@pytest.fixture
def elsewhere(environment: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environment({"SMSBUS_DATA_DIR": str(tmp_path)})


@pytest.fixture
def registry():
    with registry_stub() as stub:
        yield stub


def run(*words: str, code: Code = Code.OK, **options: Any) -> Any:
    result = CliRunner().invoke(cli, ["schema", *words], **options)
    assert result.exit_code == code, result.output
    return result


def push(registry: RegistryStub, *, code: Code = Code.OK) -> Any:
    return run("push", "--registry", registry.url, code=code)


def check(registry: RegistryStub, *, code: Code = Code.OK) -> Any:
    return run("check", "--registry", registry.url, code=code)


def with_property(name: str) -> dict[str, Any]:
    """What a later release would have registered."""
    schema = draft7(SmsReceived)
    return schema | {"properties": schema["properties"] | {name: {"type": ["string", "null"]}}}


def without_property(name: str) -> dict[str, Any]:
    """What an earlier release had registered."""
    schema = draft7(SmsReceived)
    return schema | {"properties": {key: part for key, part in schema["properties"].items() if key != name}}


@pytest.mark.parametrize("format_", FORMATS)
def test_documents_of_one_format_are_printed_or_written(format_, tmp_path):
    made = documents(format_)

    printed = run("export", "--format", format_, "-").stdout
    written = run("export", "--format", format_, "out").stdout

    assert printed == "".join(text for _, text in sorted(made.items()))
    assert {name: (tmp_path / "out" / name).read_text("utf-8") for name in made} == made
    assert written.split() == sorted(f"out/{name}" for name in made)


def test_without_a_format_nothing_is_printed():
    result = run("export", "-", code=Code.USAGE)

    assert result.stdout == ""
    assert "--format" in result.stderr


def test_the_tables_of_flink_are_those_of_the_settings(environment, tmp_path):
    environment(
        {
            "SMSBUS_DATA_DIR": str(tmp_path),
            "SMSBUS_KAFKA__BOOTSTRAP_SERVERS": "one:9092, two:9093",
            "SMSBUS_KAFKA__TOPIC_PREFIX": "shop.",
            "SMSBUS_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "SMSBUS_KAFKA__SASL_MECHANISM": "PLAIN",
            "SMSBUS_KAFKA__SASL_PLAIN_USERNAME": "hunter",
            "SMSBUS_KAFKA__SASL_PLAIN_PASSWORD": "hunter2-hunter2",
        }
    )

    printed = run("export", "--format", "flink", "-").stdout

    assert "'properties.bootstrap.servers' = 'one:9092,two:9093'" in printed
    assert "'topic' = 'shop.sms.received.v1'" in printed
    assert "'properties.sasl.mechanism' = 'PLAIN'" in printed
    assert "hunter" not in printed


def test_each_topic_is_registered_as_draft_07_with_forward(registry):
    said = push(registry).stdout

    assert registry.versions == {f"{value.TOPIC}-value": [draft7(value)] for value in VALUES}
    assert set(registry.levels.items()) == {(f"{value.TOPIC}-value", "FORWARD") for value in VALUES}
    assert said.splitlines() == [f"{value.TOPIC}-value version 1 registered" for value in VALUES]


def test_a_second_push_registers_nothing(registry):
    push(registry)
    before = json.dumps(registry.versions)

    said = push(registry).stdout

    assert json.dumps(registry.versions) == before
    assert said.splitlines() == [f"{value.TOPIC}-value version 1 was there" for value in VALUES]


def test_the_subjects_have_the_prefix_of_the_installation(registry, environment, tmp_path):
    environment({"SMSBUS_DATA_DIR": str(tmp_path), "SMSBUS_KAFKA__TOPIC_PREFIX": "shop."})

    push(registry)

    assert set(registry.versions) == {f"shop.{value.TOPIC}-value" for value in VALUES}


def test_a_field_that_was_added_since_is_a_second_version_under_the_level_that_allows_it(registry):
    registry.versions[RECEIVED] = [without_property("provider_fields")]  # registered by hand: its level is BACKWARD

    said = push(registry).stdout

    assert f"{RECEIVED} version 2 registered" in said
    assert len(registry.versions[RECEIVED]) == 2


def test_a_stricter_level_of_the_same_direction_stays_and_others_make_room(registry):
    registry.levels |= {"sms.received.v1-value": "FORWARD_TRANSITIVE", "sms.rejected.v1-value": "FULL"}
    push(registry)

    assert registry.levels["sms.received.v1-value"] == "FORWARD_TRANSITIVE"
    assert registry.levels["sms.rejected.v1-value"] == "FORWARD"


def test_a_subject_that_has_a_level_and_no_schema_is_not_registered(registry):
    registry.versions[RECEIVED] = []

    assert check(registry).stdout.splitlines()[0] == f"{RECEIVED} is not registered"


def test_a_version_that_the_registry_finds_incompatible_is_not_registered_and_its_words_are_shown(registry):
    registry.versions[RECEIVED] = [with_property("taken_away")]

    said = push(registry, code=Code.FAILED)

    assert f"{RECEIVED} was not registered" in said.stderr
    assert "#/properties/taken_away" in said.stderr
    assert len(registry.versions[RECEIVED]) == 1


def test_check_says_what_the_registry_thinks_of_the_next_version_and_changes_nothing(registry):
    push(registry)
    registry.versions[RECEIVED] = [without_property("provider_fields")]
    before, levels = json.dumps(registry.versions), dict(registry.levels)

    said = check(registry).stdout

    assert said.splitlines()[0] == f"{RECEIVED} compatible with version 1 (FORWARD)"
    assert (json.dumps(registry.versions), registry.levels) == (before, levels)


def test_check_fails_with_the_registry_s_words_where_something_was_removed(registry):
    push(registry)
    registry.versions[RECEIVED].append(with_property("taken_away"))

    said = check(registry, code=Code.FAILED)

    assert said.stdout.splitlines()[0] == f"{RECEIVED} incompatible with version 2 (FORWARD)"
    assert said.stdout.splitlines()[1].startswith("sms.rejected.v1-value compatible")
    assert f"smsbus: {RECEIVED}: PROPERTY at #/properties/taken_away" in said.stderr


def test_check_names_the_level_by_which_the_registry_judges(registry):
    registry.versions[RECEIVED] = [draft7(SmsReceived)]

    said = check(registry).stdout

    assert said.splitlines()[:2] == [
        f"{RECEIVED} compatible with version 1 (BACKWARD)",
        "sms.rejected.v1-value is not registered",
    ]


@pytest.mark.parametrize("command", [push, check])
def test_a_registry_that_is_away_is_named(registry, unused_tcp_port, command):
    result = run(command.__name__, "--registry", f"http://127.0.0.1:{unused_tcp_port}", code=Code.FAILED)

    assert f"the schema registry http://127.0.0.1:{unused_tcp_port} cannot be reached: Cannot connect" in result.stderr


@pytest.mark.parametrize("command", [push, check])
@pytest.mark.parametrize(
    "broken",
    [(404, b"<html>"), (200, b"welcome"), (200, b'{"all": "well"}'), (404, b'{"detail": "no"}'), (302, b"")],
)
def test_what_is_no_registry_is_called_so(registry, command, broken):
    registry.broken = broken

    said = command(registry, code=Code.FAILED).stderr

    assert f"{registry.url} is no schema registry with Confluent's API (HTTP {broken[0]}" in said
    assert "/apis/ccompat/v7" in said


def test_what_the_registry_refuses_is_shown_in_its_words_on_one_line(registry):
    registry.broken = (422, json.dumps({"error_code": 42201, "message": "Invalid schema\n" + "x" * 900}).encode())

    [line] = push(registry, code=Code.FAILED).stderr.splitlines()

    assert "(HTTP 422): Invalid schema xxx" in line
    assert len(line) < 500


@pytest.mark.parametrize(
    ("body", "words"),
    [(b'{"error_code": 50001, "message": "The backend failed"}', "The backend failed"), (b"", "it does not say why")],
)
def test_a_registry_in_trouble_is_not_taken_for_something_else(registry, body, words):
    registry.broken = (500, body)

    assert f"(HTTP 500): {words}" in check(registry, code=Code.FAILED).stderr


def test_a_registry_that_does_not_say_why_is_called_so(registry):
    registry.explains = False  # as Apicurio
    registry.versions[RECEIVED] = [with_property("taken_away")]
    registry.levels[RECEIVED] = "FORWARD"

    said = check(registry, code=Code.FAILED).stderr

    assert f"smsbus: {RECEIVED}: the registry does not say why" in said


def test_a_login_is_part_of_the_address_may_come_from_stdin_and_is_never_shown(registry):
    registry.login = "hunter:hunter2-hunter2"
    address = registry.url.replace("//", f"//{registry.login}@")

    run("push", "--registry", "-", input=f"{address}\n")
    registry.login = "another:one"
    refused = run("push", "--registry", address, code=Code.FAILED)

    assert len(registry.versions) == len(VALUES)
    assert f"{registry.url} does not let us in (HTTP 401)" in refused.stderr
    assert "hunter" not in refused.output


@pytest.mark.parametrize("address", ["", "ftp://a", "http://", "hunter2 hunter2"])
def test_an_address_that_is_none_is_refused_without_being_shown(address):
    result = run("push", "--registry", address, code=Code.USAGE)

    assert "--registry: write it as http://HOST:8081" in result.stderr
    assert "hunter" not in result.output
