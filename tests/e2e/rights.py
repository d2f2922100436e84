"""Rights on a Kafka with ACLs: given as printed, by who comes in by the open port, and taken away again."""

import argparse
import shlex
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import NamedTuple

from aiokafka.conn import create_conn
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

RESOURCES = {"topic": 2, "group": 3, "cluster": 4, "transactional_id": 5}  # the protocol's numbers
OPERATIONS = {"Read": 3, "Write": 4, "Describe": 8, "IdempotentWrite": 12}
PATTERNS = {"literal": 3, "prefixed": 4}
ALLOW = 3


class Right(NamedTuple):
    """One operation of one user on one resource, in the words of `kafka-acls.sh`."""

    resource: str
    name: str
    pattern: str
    principal: str
    operation: str

    @property
    def in_numbers(self) -> tuple[int, str, int, str, str, int, int]:
        kind, pattern, operation = RESOURCES[self.resource], PATTERNS[self.pattern], OPERATIONS[self.operation]
        return kind, self.name, pattern, self.principal, "*", operation, ALLOW


def understood(printed: str) -> list[Right]:
    """Read the commands as `kafka-acls.sh` does; its jar is not among those of our Kafka."""
    return [right for line in printed.splitlines() for right in _of_line(line)]


async def give(rights: Iterable[Right], bootstrap: str) -> None:
    host, port = bootstrap.split(",", maxsplit=1)[0].split(":")
    with closing(await create_conn(host, int(port))) as connection:
        for right in rights:
            answer = await connection.send(CreateAclsRequest(*right.in_numbers))
            assert [error for error, _ in answer.creation_responses] == [0]


async def take_away(rights: Iterable[Right], bootstrap: str) -> None:
    host, port = bootstrap.split(",", maxsplit=1)[0].split(":")
    with closing(await create_conn(host, int(port))) as connection:
        for right in rights:
            answer = await connection.send(DeleteAclsRequest(*right.in_numbers))
            [(error, _, taken)] = answer.filter_responses
            assert (error, len(taken)) == (0, 1), right


def _of_line(line: str) -> Iterator[Right]:
    program, *words = shlex.split(line)
    assert program == "kafka-acls.sh"
    given = _parser().parse_args(words)
    kind, name = next((kind, getattr(given, kind)) for kind in RESOURCES if getattr(given, kind) is not None)
    for operation in given.operation:
        yield Right(kind, name, given.resource_pattern_type, given.allow_principal, operation)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap-server", required=True)
    parser.add_argument("--command-config")
    parser.add_argument("--add", action="store_true", required=True)
    parser.add_argument("--allow-principal")
    parser.add_argument("--operation", action="append")
    parser.add_argument("--cluster", action="store_const", const="kafka-cluster")
    for name in ("--topic", "--group", "--transactional-id"):
        parser.add_argument(name)
    parser.add_argument("--resource-pattern-type", default="literal")
    return parser
