"""files/kafka.json of the chart: the contract's topics, and each part's rights as `smsbus topics print` has them."""

from typing import Any, Final

from bus.kafka.acls import Role, rights
from bus.kafka.granted import Right
from bus.settings import KafkaSettings
from pollers.poller import GROUP
from schemas.topics import TOPICS

TYPES: Final = {"transactional-id": "transactionalId"}  # Strimzi's words, where they differ from kafka-acls.sh's
PATTERNS: Final = {"prefixed": "prefix"}
ROLES: Final[dict[str, tuple[Role, bool]]] = {
    "receiver": ("receiver", False),
    "pollers": ("pollers", False),
    "inbox": ("inbox", False),
    "inbox_with_commands": ("inbox", True),
    "forward": ("forward", False),
}


def contract() -> dict[str, Any]:
    """Return topics and rights; names are without an installation's prefix."""
    return {
        "topics": [{"name": t.name, "partitions": t.partitions, "configs": dict(t.configs)} for t in TOPICS],
        "rights": {name: _rights(role, commands=commands) for name, (role, commands) in ROLES.items()},
    }


def _rights(role: Role, *, commands: bool) -> list[dict[str, Any]]:
    return [_as_strimzi(right) for right in rights(KafkaSettings(), role, GROUP, commands=commands)]


def _as_strimzi(right: Right) -> dict[str, Any]:
    operations = list(right.operations)
    kind = TYPES.get(right.resource, right.resource)
    if kind == "cluster":
        return {"type": kind, "operations": operations}
    pattern = PATTERNS.get(right.pattern, right.pattern)
    return {"type": kind, "name": right.name, "pattern": pattern, "operations": operations}
