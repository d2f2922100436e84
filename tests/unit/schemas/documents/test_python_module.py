"""The generated Python module, executed alone: it parses the golden examples and writes them back."""

import json
import subprocess
import sys
from types import ModuleType

import pytest

from schemas.documents.python import python
from schemas.messages import VALUES
from tests.unit.schemas.test_documents import EXAMPLES, PACKAGE, model_of


@pytest.fixture(scope="module")
def generated() -> ModuleType:
    module = ModuleType("smsbus_messages")
    sys.modules[module.__name__] = module  # dataclasses look there
    exec(compile(python(), "smsbus_messages.py", "exec"), module.__dict__)
    yield module
    del sys.modules[module.__name__]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_parsed_and_written_as_it_was(generated, example):
    text = example.read_text("utf-8")

    value = getattr(generated, model_of(example).__name__).from_json(text)

    assert json.loads(value.to_json()) == json.loads(text)
    assert list(json.loads(value.to_json())) == list(json.loads(text))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_what_is_written_is_what_smsbus_writes(generated, example):
    model = model_of(example)
    text = example.read_text("utf-8")

    assert getattr(generated, model.__name__).from_json(text).to_json() == model.model_validate_json(text).to_json()


@pytest.mark.parametrize("value", VALUES)
def test_it_knows_the_topic_of_each_value(generated, value):
    assert getattr(generated, value.__name__).TOPIC == value.TOPIC


def sms() -> dict[str, object]:
    return json.loads((PACKAGE / "examples" / "sms-received.pingme-callback.json").read_text("utf-8"))


def test_a_key_of_tomorrow_is_ignored_and_a_nullable_one_that_is_missing_is_none(generated):
    event = sms() | {"new_key": {"x": 1}, "freshness": "delayed"}
    del event["code"]

    parsed = generated.SmsReceived.from_json(json.dumps(event).encode())

    assert (parsed.code, parsed.freshness) == (None, "delayed")


def test_an_old_end_of_a_watch_has_the_default_of_what_was_added_later(generated):
    ended = json.loads((PACKAGE / "examples" / "watch-ended.finished.json").read_text("utf-8"))
    del ended["opening"]

    assert generated.WatchEnded.from_json(json.dumps(ended)).opening == 0


def test_a_record_without_a_promised_key_is_an_error(generated):
    event = sms()
    del event["id"]

    with pytest.raises(TypeError, match="'id'"):
        generated.SmsReceived.from_json(json.dumps(event))


def test_it_needs_nothing_but_python(tmp_path):
    (tmp_path / "smsbus_messages.py").write_text(python(), "utf-8")

    ran = subprocess.run(
        [sys.executable, "-I", "-S", "smsbus_messages.py"], cwd=tmp_path, capture_output=True, text=True
    )

    assert (ran.returncode, ran.stderr) == (0, "")
