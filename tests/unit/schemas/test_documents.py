"""The committed documents, judged by validators that share nothing with what made them."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

import schemas
from app.admin import inbox, inbox_query, inbox_view, journals, listener, watches
from app.journals import query
from app.workers import joint_journals
from pollers.watch_commands import WatchRequest
from receiver.answers import PROBLEMS
from schemas.documents import openapi_inbox, openapi_journals, openapi_parts, openapi_watches
from schemas.documents.asyncapi import asyncapi
from schemas.documents.export import FORMATS, documents, write
from schemas.documents.openapi import openapi
from schemas.documents.reader_schema import draft7, reader_schema
from schemas.messages import MESSAGES, VALUES, Message, SmsReceived, SmsRejected, Watch, WatchEnded
from schemas.topics import MESSAGE_PARTITIONS, TOPICS
from tests.unit.schemas.test_messages import ID, received

PACKAGE = Path(schemas.__file__).parent
ASYNCAPI_SCHEMA = json.loads((Path(__file__).parent / "asyncapi-3.0.0.json").read_text(encoding="utf-8"))
EXAMPLES = sorted((PACKAGE / "examples").glob("*.json"))
MODELS = {
    "sms-received": SmsReceived,
    "sms-rejected": SmsRejected,
    "watch-ended": WatchEnded,
    "watch": Watch,
}


def validators() -> Any:
    """Return jsonschema, which takes seconds to be imported: it compiles grammars."""
    import jsonschema

    return jsonschema


def model_of(example):
    return MODELS[example.name.partition(".")[0]]


@pytest.mark.parametrize("name", documents())
def test_the_committed_document_is_what_the_models_make_today(name):
    committed = (PACKAGE / name).read_text(encoding="utf-8")

    assert committed == documents()[name], f"{name} is stale: run `python -m schemas.documents.export`"


def test_no_document_is_committed_that_nothing_makes():
    folders = {name.partition("/")[0] for name in documents()}
    committed = {str(path.relative_to(PACKAGE)) for folder in folders for path in (PACKAGE / folder).iterdir()}

    assert {name for name in committed if "__pycache__" not in name} == set(documents())


def test_the_documents_of_a_format_are_those_that_all_formats_have():
    each = [documents(format_) for format_ in FORMATS]

    assert {name: text for made in each for name, text in made.items()} == documents()
    assert sum(map(len, each)) == len(documents())


def test_writing_the_documents_puts_them_where_they_are_committed(tmp_path):
    written = write(tmp_path)

    assert {str(path.relative_to(tmp_path)): path.read_text(encoding="utf-8") for path in written} == documents()


@pytest.mark.parametrize("value", VALUES)
def test_a_readers_schema_is_a_valid_schema_that_names_its_topic(value):
    schema = reader_schema(value)

    validators().Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:smsbus:schema:{value.TOPIC}"
    assert all(field["description"].endswith(".") for field in schema["properties"].values())


@pytest.mark.parametrize("value", VALUES)
def test_the_draft_07_schema_is_valid_by_its_own_meta_schema_and_says_the_same(value):
    schema = draft7(value)

    validators().Draft7Validator.check_schema(schema)
    assert schema["$schema"] == validators().Draft7Validator.META_SCHEMA["$id"]
    assert schema | {"$schema": None} == reader_schema(value) | {"$schema": None}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_as_readers_with_draft_07_expect_it_and_a_broken_one_is_not(example):
    text = json.loads(example.read_text(encoding="utf-8"))
    validator = validators().Draft7Validator(draft7(model_of(example)))

    assert [error.message for error in validator.iter_errors(text)] == []
    assert not validator.is_valid(text | {"account": 7})


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_as_we_write_it_and_as_readers_expect_it(example):
    text = example.read_text(encoding="utf-8")
    model = model_of(example)

    written = model.model_validate_json(text)

    assert json.loads(written.to_json()) == json.loads(text)
    assert list(json.loads(text)) == list(model.model_fields)
    validators().Draft202012Validator(reader_schema(model)).validate(json.loads(text))


def test_there_are_examples_of_every_value():
    assert {model_of(example) for example in EXAMPLES} == set(VALUES)
    assert len(EXAMPLES) >= 12


@pytest.mark.parametrize(
    "change",
    [
        {"id": "1"},
        {"observed_at": "2021-03-25T03:17:06Z"},
        {"recipient": "647"},
        {"text": 5},
        {"sequence": -1},
        {"provider_fields": {"a": 1}},
    ],
)
def test_a_readers_schema_refuses_what_we_never_write(change):
    event = json.loads(received().to_json())
    validator = validators().Draft202012Validator(reader_schema(SmsReceived))

    assert validator.is_valid(event)
    assert not validator.is_valid(event | change)


@pytest.mark.parametrize("missing", ["id", "text", "code", "provider_fields"])
def test_a_readers_schema_requires_every_key(missing):
    event = json.loads(received().to_json())
    del event[missing]

    assert not validators().Draft202012Validator(reader_schema(SmsReceived)).is_valid(event)


def test_a_readers_schema_takes_keys_and_values_of_tomorrow():
    event = json.loads(received().to_json()) | {"provider": "newcomer", "freshness": "delayed", "new_key": {"x": 1}}

    validators().Draft202012Validator(reader_schema(SmsReceived)).validate(event)


def test_who_writes_a_watch_may_leave_out_what_has_a_default():
    least = {
        "watch_id": "w",
        "account": "man",
        "order_kind": "rent",
        "order_id": "7",
        "opened_at": "2021-03-25T03:17:06.050Z",
        "expires_at": "2021-03-25T03:17:06.050Z",
    }

    validators().Draft202012Validator(reader_schema(Watch)).validate(least)
    assert Watch.model_validate_json(json.dumps(least)).desired == "watch"


def test_the_asyncapi_document_is_valid_by_the_official_schema():
    errors = [error.message for error in validators().Draft7Validator(ASYNCAPI_SCHEMA).iter_errors(asyncapi())]

    assert errors == []


@pytest.mark.parametrize(
    "path",
    [("info", "title"), ("channels", "watch", "bindings", "kafka", "partitions"), ("operations", "receiveWatch")],
)
def test_the_official_schema_sees_a_broken_asyncapi_document(path):
    broken = asyncapi()
    inner = broken
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = "many" if isinstance(inner[path[-1]], int) else 7

    assert not validators().Draft7Validator(ASYNCAPI_SCHEMA).is_valid(broken)


def test_every_reference_in_the_asyncapi_document_leads_somewhere():
    document = asyncapi()

    for reference in references(document):
        inner = document
        for name in reference.removeprefix("#/").split("/"):
            inner = inner[name]
        assert inner


def test_the_asyncapi_document_says_the_topics_that_we_create():
    channels = {channel["address"]: channel["bindings"]["kafka"] for channel in asyncapi()["channels"].values()}
    created = {topic.name: topic for topic in TOPICS}

    assert set(channels) == {value.TOPIC for value in VALUES}
    for name, binding in channels.items():
        configs = binding["topicConfiguration"]
        assert binding["partitions"] == created[name].partitions
        assert ",".join(configs["cleanup.policy"]) == created[name].configs["cleanup.policy"]
        for bound in ("retention.ms", "retention.bytes"):
            assert str(configs.get(bound)) == created[name].configs.get(bound, "None")


def test_the_asyncapi_document_names_the_headers_that_we_send():
    record = built(received())

    headers = asyncapi()["components"]["messages"]["smsReceived"]["headers"]

    validators().Draft202012Validator(headers).validate(record)
    assert set(headers["required"]) == set(record)
    assert record["ce_id"] == ID


@pytest.mark.parametrize("message", MESSAGES)
def test_we_send_messages_and_receive_watches(message):
    operations = asyncapi()["operations"]

    assert operations[f"send{message.__name__}"]["action"] == "send"
    assert operations["receiveWatch"]["action"] == "receive"
    assert len(operations) == len(MESSAGES) + 1


def openapi_errors(document: Any) -> list[str]:
    from openapi_spec_validator import OpenAPIV31SpecValidator

    return [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]


def test_the_openapi_document_is_valid_by_the_official_schema():
    assert openapi_errors(openapi()) == []


def test_the_official_schema_sees_a_broken_openapi_document():
    broken = openapi()
    del broken["paths"]["/v1/pingme/{token}"]["post"]["responses"]["200"]["description"]

    assert openapi_errors(broken)


def test_the_openapi_document_names_every_problem_of_the_receiver_with_its_status():
    documented = {problem.reason: problem.status for problem in openapi_parts.PROBLEMS}

    assert documented == {reason: int(problem.status) for reason, problem in PROBLEMS.items()}


def test_the_openapi_document_has_the_paths_of_both_listeners():
    methods = {path: set(item) - {"servers", "parameters"} for path, item in openapi()["paths"].items()}

    assert methods == {
        "/v1/pingme/{token}": {"post", "get", "head"},
        "/livez": {"get"},
        "/readyz": {"get"},
        "/metrics": {"get"},
        "/openapi.json": {"get"},
        "/asyncapi.json": {"get"},
        "/v1/callbacks": {"get"},
        "/v1/callbacks/{account}/test": {"post"},
        "/v1/sms": {"get"},
        "/v1/sms/{id}": {"get"},
        "/v1/cursor": {"get"},
        "/v1/wait": {"get"},
        "/v1/stream": {"get"},
        "/v1/token": {"get"},
        "/v1/rejected/{id}/replay": {"post"},
        "/v1/watches": {"get", "post"},
        "/v1/watches/{id}": {"get"},
        "/v1/watches/{id}/next": {"post"},
        "/v1/watches/{id}/{request}": {"post"},
        "/v1/journal/rows": {"get"},
        "/v1/journal/skip": {"post"},
    }


def test_the_document_of_the_watches_is_what_the_program_takes_and_answers():
    described = openapi()["components"]["schemas"]["WatchRequest"]
    reasons = {problem.reason for problem in openapi_watches.PROBLEMS}

    assert set(described["properties"]) == set(WatchRequest.model_fields)
    assert described["required"] == [name for name, field in WatchRequest.model_fields.items() if field.is_required()]
    answered = re.findall(r'problem\(\d+, "(\w+)"', inspect.getsource(watches) + inspect.getsource(listener))
    assert reasons | {"method_not_allowed"} == {
        *answered,
        *("unauthorized", "read_only"),
        *(reason for reason, _ in listener.REFUSED.values()),
    }


def test_the_document_of_the_journals_is_what_the_program_takes_and_answers():
    described = openapi()["components"]["schemas"]["SkipRequest"]
    asked = openapi()["paths"]["/v1/journal/rows"]["get"]["parameters"]
    answered = re.findall(r'problem\(\d+, "(\w+)"', inspect.getsource(journals) + inspect.getsource(joint_journals))

    assert set(described["properties"]) == set(described["required"]) == set(journals.SkipRequest.model_fields)
    assert {each["name"] for each in asked} == set(query.MUST_BE)
    assert {problem.reason: problem.status for problem in openapi_journals.PROBLEMS}.keys() == {
        *answered,
        *(reason for _, reason, _ in journals.NOT_SKIPPED.values()),
        *("unauthorized", "bad_request", "timeout", "too_large"),
    }


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/v1/sms", inbox_query.LIST),
        ("/v1/cursor", ()),
        ("/v1/wait", inbox_query.WAITED),
        ("/v1/stream", (*inbox_query.STREAM, "Last-Event-ID")),
    ],
)
def test_the_document_of_the_inbox_has_the_parameters_that_the_program_takes(path, names):
    asked = openapi()["paths"][path]["get"].get("parameters", [])
    schemas = {each["name"]: each["schema"] for each in asked}

    assert tuple(schemas) == tuple(names)
    for name, highest, default in (
        ("limit", inbox_query.LARGEST_PAGE, inbox_query.PAGE),
        ("timeout", inbox_query.LONGEST_WAIT, inbox_query.WAIT),
    ):
        if name in schemas:
            assert (schemas[name]["maximum"], schemas[name]["default"]) == (highest, default)


def test_the_document_of_the_inbox_has_the_reasons_with_which_the_program_refuses():
    source = inspect.getsource(inbox) + inspect.getsource(inbox_view)
    answered = {reason: int(status) for status, reason in re.findall(r'problem\((\d+), "(\w+)"', source)}
    answered |= {reason: status for status, reason, _ in inbox_view.REFUSALS.values()} | {"unauthorized": 401}

    assert {problem.reason: problem.status for problem in openapi_inbox.PROBLEMS} == answered


def references(document):
    if isinstance(document, dict):
        for name, part in document.items():
            yield from [part] if name == "$ref" else references(part)
    elif isinstance(document, list):
        for part in document:
            yield from references(part)


def built(message: Message):
    from bus.record import build, with_via

    record = build(message, topic_prefix="", instance="a")
    return {name: value.decode() for name, value in with_via(record.headers, "kafka")}


def test_partitions_are_constants_of_the_contract():
    assert (MESSAGE_PARTITIONS, asyncapi()["channels"]["smsReceived"]["bindings"]["kafka"]["partitions"]) == (6, 6)
    assert asyncapi()["channels"]["watch"]["bindings"]["kafka"]["partitions"] == 12
