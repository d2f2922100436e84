"""The rights that a process needs on brokers with ACLs, and no more: one set for each role."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from bus.kafka.granted import Right
from bus.kafka.group_progress import FORWARD_GROUPS
from bus.settings import KafkaSettings
from schemas.topics import ALL, RECEIVED, RECEIVER_TOPICS, REJECTED, STATES, WATCH_ENDED, WATCHES

Role = Literal["all", "receiver", "pollers", "inbox", "forward"]
READS: Final = ("Read", "Describe")
WRITES: Final = ("Write", "Describe")
OWNS: Final = ("Read", "Write", "Describe")

RECEIVER: Final = dict.fromkeys(sorted(RECEIVER_TOPICS), WRITES)
POLLERS: Final = {**RECEIVER, WATCH_ENDED: WRITES, WATCHES: OWNS, STATES: OWNS}
ON_TOPICS: Final[Mapping[Role, Mapping[str, tuple[str, ...]]]] = {
    "all": dict.fromkeys(POLLERS, OWNS),
    "receiver": RECEIVER,
    "pollers": POLLERS,
    "inbox": dict.fromkeys(sorted(ALL), READS),
    "forward": {RECEIVED: READS, WATCH_ENDED: READS, REJECTED: WRITES},
}


def rights(
    kafka: KafkaSettings, role: Role, group: str, *, commands: bool = False, polls: bool = True
) -> Iterator[Right]:
    """Yield what a role needs. `group` is the pollers' consumer group, unprefixed.

    `commands`: an inbox is to take commands about watches, which it writes; otherwise it only reads.
    `polls`: whether there are accounts to poll; with role `all`, no poller runs where there are none.
    """
    if role not in {"inbox", "forward"}:
        yield Right(("IdempotentWrite",), "cluster")
    for name, operations in ON_TOPICS[role].items():
        is_written = role == "inbox" and commands and name == WATCHES
        yield Right(OWNS if is_written else operations, "topic", kafka.topic(name))
    if role in {"all", "inbox"}:
        yield Right(("Describe",), "group", kafka.topic(FORWARD_GROUPS), "prefixed")
    if role == "forward":
        yield Right(("Read",), "group", kafka.topic(FORWARD_GROUPS), "prefixed")
    if role == "pollers" or (role == "all" and polls):
        yield Right(("Read",), "group", kafka.topic(group))
        yield Right(WRITES, "transactional-id", f"{kafka.topic(group)}-", "prefixed")


def principal(kafka: KafkaSettings) -> str | None:
    """Return our Kafka principal without `User:`; None: only brokers know what they make of our certificate."""
    if kafka.security_protocol in {"SASL_PLAINTEXT", "SASL_SSL"}:
        return kafka.sasl_plain_username
    return None if kafka.ssl_certfile else "ANONYMOUS"


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
