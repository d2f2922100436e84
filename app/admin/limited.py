"""What somebody with a token that is limited to accounts is shown of health and metrics. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

OF_ALL: Final = frozenset(
    {
        "smsbus_build_info",
        "process_start_time_seconds",
        "smsbus_can_accept",
        "smsbus_kafka_connected",
        "smsbus_inbox_behind_seconds",
        "smsbus_degraded",
        "smsbus_degraded_since_timestamp_seconds",
    }
)
"""Metrics that say how the service is, and count nothing of any account."""
ABOUT_KAFKA: Final = frozenset({"states_not_committed", "takes_nothing"})
"""Degraded reasons with Kafka's own words behind the colon; behind others is an account, or a target of forwarding."""
_LABEL: Final = re.compile(r'[{,](account|forward)="([^"]*)"')


def reasons_of(degraded: Iterable[str], accounts: tuple[str, ...] | None) -> list[str]:
    """Return the degraded reasons that are about everybody, or about one of these accounts; None: all."""
    return [reason for reason in degraded if accounts is None or _is_shown(reason, accounts)]


def metrics_of(text: str, accounts: tuple[str, ...] | None) -> str:
    """Return the samples of an exposition that are about these accounts, and those of `OF_ALL`; None: all.

    It is of `text/plain; version=0.0.4`: each family's HELP and TYPE precede its samples.
    """
    return text if accounts is None else "".join(f"{line}\n" for line in _shown(text.splitlines(), accounts))


def _shown(lines: Iterable[str], accounts: tuple[str, ...]) -> Iterator[str]:
    head: list[str] = []
    for line in lines:
        if line.startswith("#"):
            head = [line] if line.startswith("# HELP ") else [*head, line]
        elif _is_shown_sample(line, accounts):
            yield from (*head, line)
            head = []


def _is_shown_sample(sample: str, accounts: tuple[str, ...]) -> bool:
    labels = dict(_LABEL.findall(sample))
    if "account" in labels:
        return labels["account"] in accounts
    return "forward" not in labels and re.split(r"[{ ]", sample, maxsplit=1)[0] in OF_ALL


def _is_shown(reason: str, accounts: tuple[str, ...]) -> bool:
    word, _, name = reason.partition(":")
    return not name or word in ABOUT_KAFKA or name in accounts
