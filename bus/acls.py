"""The rights that a process needs on brokers with ACLs, and no more: one set for each role."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from bus.settings import KafkaSettings
from bus.topics import RECEIVED

Role = Literal["receiver", "pollers"]
WRITES: Final = ("Write", "Describe")
OWNS: Final = ("Read", "Write", "Describe")


class Right(NamedTuple):
    """What is allowed, and on what: the words are those of Kafka's `kafka-acls.sh`."""

    operations: tuple[str, ...]
    resource: str
    name: str = ""
    pattern: Literal["literal", "prefixed"] = "literal"


def rights(kafka: KafkaSettings, role: Role, group: str) -> Iterator[Right]:
    """Yield what a role needs; `group` is the pollers' consumer group, unprefixed."""
    yield Right(("IdempotentWrite",), "cluster")
    for name in sorted(RECEIVED):
        yield Right(WRITES, "topic", kafka.topic(name))
    if role == "receiver":
        return
    yield Right(WRITES, "topic", kafka.topic("sms.watch-ended.v1"))
    for name in ("sms.watches.v1", "sms.watch-states.v1"):
        yield Right(OWNS, "topic", kafka.topic(name))
    yield Right(("Read",), "group", kafka.topic(group))
    yield Right(WRITES, "transactional-id", f"{kafka.topic(group)}-", "prefixed")


def command(kafka: KafkaSettings, user: str, right: Right) -> str:
    """Return the line that an administrator runs to give it."""
    operations = " ".join(f"--operation {each}" for each in right.operations)
    where = f"--{right.resource} {right.name}".rstrip()
    pattern = f" --resource-pattern-type {right.pattern}" if right.pattern != "literal" else ""
    return (
        f"kafka-acls.sh --bootstrap-server {kafka.bootstrap_servers} --add --allow-principal User:{user} "
        f"{operations} {where}{pattern}"
    )
