"""The rights that a process needs on brokers with ACLs, and no more: one set for each role."""

import shlex
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from bus.settings import KafkaSettings
from schemas.topics import RECEIVER_TOPICS, STATES, WATCH_ENDED, WATCHES

Role = Literal["receiver", "pollers"]
WRITES: Final = ("Write", "Describe")
OWNS: Final = ("Read", "Write", "Describe")


class Right(NamedTuple):
    """What is allowed, and on what, in the terms of Kafka's `kafka-acls.sh`."""

    operations: tuple[str, ...]
    resource: str
    name: str = ""
    pattern: Literal["literal", "prefixed"] = "literal"


def rights(kafka: KafkaSettings, role: Role, group: str) -> Iterator[Right]:
    """Yield what a role needs; `group` is the pollers' consumer group, unprefixed."""
    yield Right(("IdempotentWrite",), "cluster")
    for name in sorted(RECEIVER_TOPICS):
        yield Right(WRITES, "topic", kafka.topic(name))
    if role == "receiver":
        return
    yield Right(WRITES, "topic", kafka.topic(WATCH_ENDED))
    for name in (WATCHES, STATES):
        yield Right(OWNS, "topic", kafka.topic(name))
    yield Right(("Read",), "group", kafka.topic(group))
    yield Right(WRITES, "transactional-id", f"{kafka.topic(group)}-", "prefixed")


def command(kafka: KafkaSettings, user: str, right: Right) -> str:
    """Return the shell command for an administrator that grants it.

    `user` is the Kafka principal without `User:`. If clients must authenticate, the administrator must, too, with an
    `admin.properties`.
    """
    words = ["kafka-acls.sh", "--bootstrap-server", ",".join(kafka.servers)]
    if kafka.security_protocol != "PLAINTEXT":
        words += ["--command-config", "admin.properties"]
    words += ["--add", "--allow-principal", f"User:{user}"]
    for operation in right.operations:
        words += ["--operation", operation]
    words += [f"--{right.resource}", *filter(None, [right.name])]
    if right.pattern != "literal":
        words += ["--resource-pattern-type", right.pattern]
    return shlex.join(words)  # a certificate's subject contains blanks and commas
