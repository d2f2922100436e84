"""The AsyncAPI 3.0 document: topics, keys, headers and values, for people who consume them."""

from typing import Any, Final

from schemas import timestamps
from schemas.documents.reader_schema import reader_schema
from schemas.messages import MESSAGES, VALUES, Message, SmsReceived, SmsRejected, Value, Watch, WatchEnded
from schemas.topics import TOPICS

Document = dict[str, Any]
BINDING: Final = "0.5.0"
REPLICAS: Final = 3

DESCRIPTION: Final = """\
Every SMS that rented or borrowed phone numbers receive, as one normalized, durable stream.

**At least once.** An SMS can be on a topic more than once; its `id` (also the header `ce_id`) is the same each time. \
Drop repeats by it.

**Order.** The SMS of one number lie in one partition, in the order in which one process first saw them. Never order \
by `provider_time`.

**Freshness.** Only `live` is news. A code in a message with another `freshness` may be old.

**Evolution.** Within v1 only optional keys and new values of open sets are added: ignore what you do not know. \
Anything else is a v2 topic beside this one.

**Personal.** The key is (derived from) a phone number, and texts and codes are secrets: restrict who may read.

Topic names may carry the prefix that your installation sets (`kafka.topic_prefix`).
"""

KEYS: Final[dict[type[Value], str]] = {
    SmsReceived: "ASCII digits of recipient_raw; without any the watch_id; without one the account. Never null.",
    SmsRejected: "The account. Never null.",
    WatchEnded: "The watch_id. Never null.",
    Watch: "The watch_id. A record without a value (a tombstone) is our own housekeeping.",
}


def asyncapi() -> Document:
    """Return the document, made from the models."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:smsbus:asyncapi:v1",
        "info": {
            "title": "smsbus",
            "version": "1.0.0",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "localhost:9092",
                "protocol": "kafka",
                "description": "Your cluster: what `kafka.bootstrap_servers` names.",
            }
        },
        "channels": {_name(value): _channel(value) for value in VALUES},
        "operations": {
            **{f"send{message.__name__}": _operation("send", message) for message in MESSAGES},
            "receiveWatch": _operation("receive", Watch),
        },
        "components": {
            "messages": {_name(value): _message(value) for value in VALUES},
            "schemas": {value.__name__: _payload(value) for value in VALUES},
        },
    }


def _name(value: type[Value]) -> str:
    return value.__name__[0].lower() + value.__name__[1:]


def _channel(value: type[Value]) -> Document:
    return {
        "address": value.TOPIC,
        "title": value.__name__,
        "description": value.__doc__,
        "messages": {_name(value): {"$ref": f"#/components/messages/{_name(value)}"}},
        "bindings": {"kafka": _topic(value)},
    }


def _topic(value: type[Value]) -> Document:
    [topic] = [topic for topic in TOPICS if topic.name == value.TOPIC]
    kept = {name: int(topic.configs[name]) for name in ("retention.ms", "retention.bytes") if name in topic.configs}
    return {
        "topic": topic.name,
        "partitions": topic.partitions,
        "replicas": REPLICAS,
        "topicConfiguration": {"cleanup.policy": [topic.configs["cleanup.policy"]]} | kept,
        "bindingVersion": BINDING,
    }


def _operation(action: str, value: type[Value]) -> Document:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{_name(value)}"},
        "summary": f"smsbus {action}s it: {value.__doc__}",
        "messages": [{"$ref": f"#/channels/{_name(value)}/messages/{_name(value)}"}],
    }


def _message(value: type[Value]) -> Document:
    document: Document = {
        "name": value.__name__,
        "title": value.__name__,
        "summary": value.__doc__,
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{value.__name__}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "minLength": 1, "description": KEYS[value]},
                "bindingVersion": BINDING,
            }
        },
    }
    return document | {"headers": _headers(value)} if issubclass(value, Message) else document


def _headers(message: type[Message]) -> Document:
    """CloudEvents 1.0 binary mode (Kafka protocol binding 1.0) and two of our own. Values are UTF-8 bytes."""
    text: Document = {"type": "string"}
    headers = {
        "ce_specversion": text | {"const": "1.0", "description": "CloudEvents version."},
        "ce_id": text | {"description": "The message's id: drop repeats by it."},
        "ce_source": text | {"pattern": "^/smsbus/[^/]+/[^/]+$", "description": "`/smsbus/{provider}/{account}`."},
        "ce_type": text | {"const": message.CE_TYPE, "description": "What kind of event it is."},
        "ce_time": text | {"pattern": timestamps.PATTERN, "description": "When it happened, by our clock."},
        "ce_dataschema": text | {"const": f"urn:smsbus:schema:{message.TOPIC}", "description": "`$id` of the schema."},
        "content-type": text | {"const": "application/json", "description": "What the value is."},
        "smsbus_via": text
        | {
            "examples": ["kafka", "journal", "replay"],
            "description": "`kafka`: straight; `journal`: it waited on disk; `replay`: an operator sent it.",
        },
        "smsbus_instance": text | {"description": "The process that accepted it."},
    }
    return {"type": "object", "properties": headers, "required": list(headers)}


def _payload(value: type[Value]) -> Document:
    return {name: part for name, part in reader_schema(value).items() if name not in {"$schema", "$id"}}
