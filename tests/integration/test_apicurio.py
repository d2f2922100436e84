"""`smsbus schema push` and `check` against a real Apicurio, which is also asked without them."""

import json
import urllib.request
from typing import Any
from urllib.error import HTTPError

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.cli.exit import Code
from schemas.documents.reader_schema import DRAFT7, draft7, reader_schema
from schemas.messages import VALUES, SmsReceived
from tests.apicurio import apicurio
from tests.unit.schemas.documents.test_compatibility import RELEASED, RELEASES

pytestmark = [pytest.mark.long, pytest.mark.timeout(600), pytest.mark.usefixtures("process_is_restored")]
RECEIVED = "sms.received.v1-value"
OPTIONAL = {"type": ["string", "null"], "description": "What a later release adds."}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory):
    with apicurio(tmp_path_factory.mktemp("apicurio")) as url:
        yield url


@pytest.fixture
def prefix(topic_prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> str:
    """The installation of one test: the registry is everybody's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSBUS_KAFKA__TOPIC_PREFIX", topic_prefix)
    return topic_prefix


def run(command: str, root: str, *, code: Code = Code.OK) -> Any:
    result = CliRunner().invoke(cli, ["schema", command, "--registry", f"{root}/apis/ccompat/v7"])
    assert result.exit_code == code, result.output
    return result


def ask(method: str, url: str, body: object = None, kind: str = "application/json") -> tuple[int, Any]:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Content-Type": kind}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        return error.code, json.loads(error.read())


def judged(root: str, subject: str, schema: dict[str, Any]) -> Any:
    """What the registry says of a schema that would follow the latest."""
    url = f"{root}/apis/ccompat/v7/compatibility/subjects/{subject}/versions/latest?verbose=true"
    return ask("POST", url, {"schemaType": "JSON", "schema": json.dumps(schema)})


def register(root: str, subject: str, schema: dict[str, Any], level: str = "FORWARD") -> None:
    """What somebody registered without `smsbus`."""
    api = f"{root}/apis/ccompat/v7"
    assert ask("PUT", f"{api}/config/{subject}", {"compatibility": level})[0] == 200
    body = {"schemaType": "JSON", "schema": json.dumps(schema)}
    assert ask("POST", f"{api}/subjects/{subject}/versions", body)[0] == 200


def added() -> dict[str, Any]:
    schema = draft7(SmsReceived)
    return schema | {"properties": schema["properties"] | {"new": OPTIONAL}}


def removed(name: str) -> dict[str, Any]:
    schema = draft7(SmsReceived)
    properties = {key: part for key, part in schema["properties"].items() if key != name}
    return schema | {"properties": properties, "required": [key for key in schema["required"] if key != name]}


def test_each_topic_is_registered_once_with_forward(root, prefix):
    first = run("push", root).stdout
    second = run("push", root).stdout

    assert first.splitlines() == [f"{prefix}{value.TOPIC}-value version 1 registered" for value in VALUES]
    assert second.splitlines() == [f"{prefix}{value.TOPIC}-value version 1 was there" for value in VALUES]
    for value in VALUES:
        subject = f"{root}/apis/ccompat/v7/subjects/{prefix}{value.TOPIC}-value/versions"
        level = f"{root}/apis/ccompat/v7/config/{prefix}{value.TOPIC}-value"
        assert ask("GET", subject) == (200, [1])
        assert ask("GET", level) == (200, {"compatibilityLevel": "FORWARD"})


def test_its_own_api_has_the_schemas_and_the_rule(root, prefix):
    run("push", root)

    artifact = f"{root}/apis/registry/v3/groups/default/artifacts/{prefix}{RECEIVED}"

    assert ask("GET", f"{artifact}/versions/branch=latest/content") == (200, draft7(SmsReceived))
    assert ask("GET", f"{artifact}/rules/COMPATIBILITY")[1]["config"] == "FORWARD"
    assert ask("GET", artifact)[1]["artifactType"] == "JSON"


def test_an_added_optional_field_is_compatible_and_a_removed_one_is_refused(root, prefix):
    run("push", root)
    subject = f"{root}/apis/ccompat/v7/subjects/{prefix}{RECEIVED}/versions"

    assert judged(root, prefix + RECEIVED, added())[1]["is_compatible"] is True
    assert judged(root, prefix + RECEIVED, removed("code"))[1]["is_compatible"] is False
    assert ask("POST", subject, {"schemaType": "JSON", "schema": json.dumps(removed("code"))})[0] == 409
    assert ask("POST", subject, {"schemaType": "JSON", "schema": json.dumps(added())})[0] == 200


def test_a_release_that_lacks_a_registered_field_is_refused_by_push_and_check(root, prefix):
    run("push", root)
    register(root, prefix + RECEIVED, added())

    checked = run("check", root, code=Code.FAILED)
    gone = judged(root, prefix + RECEIVED, draft7(SmsReceived))

    assert f"{prefix}{RECEIVED} incompatible with version 2 (FORWARD)" in checked.stdout
    assert gone[1]["is_compatible"] is False
    assert f"smsbus: {prefix}{RECEIVED}: " in checked.stderr


def test_push_shows_why_a_schema_is_refused(root, prefix):
    register(root, prefix + RECEIVED, added())

    said = run("push", root, code=Code.FAILED).stderr

    assert f"{prefix}{RECEIVED} was not registered" in said
    assert "propertySchemasAdded" in said


@pytest.mark.parametrize("level", ["BACKWARD", "FULL"])
def test_any_other_level_refuses_the_first_field_that_is_added(root, prefix, level):
    register(root, f"{prefix}other-value", draft7(SmsReceived), level)

    assert judged(root, f"{prefix}other-value", draft7(SmsReceived))[1]["is_compatible"] is True
    assert judged(root, f"{prefix}other-value", added())[1]["is_compatible"] is False


@pytest.mark.parametrize("release", RELEASES)
def test_this_version_may_follow_each_release(root, prefix, release):
    for value in VALUES:
        released = json.loads((RELEASED / release / f"{value.TOPIC}.json").read_text("utf-8"))
        register(root, f"{prefix}{value.TOPIC}-value", released | {"$schema": DRAFT7})

    checked = run("check", root).stdout.splitlines()

    assert checked == [f"{prefix}{value.TOPIC}-value compatible with version 1 (FORWARD)" for value in VALUES]
    run("push", root)


def test_check_before_and_after_the_first_push(root, prefix):
    before = run("check", root).stdout.splitlines()
    run("push", root)
    after = run("check", root).stdout.splitlines()

    assert before == [f"{prefix}{value.TOPIC}-value is not registered" for value in VALUES]
    assert after == [f"{prefix}{value.TOPIC}-value compatible with version 1 (FORWARD)" for value in VALUES]


def test_draft_2020_12_is_what_it_cannot_compare(root, prefix):
    """Why draft-07 exists. Once this fails, one dialect may be enough."""
    newer = reader_schema(SmsReceived)
    register(root, f"{prefix}newer-value", newer)

    assert judged(root, f"{prefix}newer-value", newer)[0] == 500


def test_its_address_without_the_path_is_called_so(root, prefix):
    result = CliRunner().invoke(cli, ["schema", "push", "--registry", root])

    assert result.exit_code == Code.FAILED
    assert "that of Apicurio ends with /apis/ccompat/v7" in result.stderr
