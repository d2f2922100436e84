"""Kafka's own command-line tools, run from the jars of the local Kafka: those brokers have no script of them."""

from collections.abc import Sequence
from typing import Final

from app.local_kafka.cluster import java
from app.local_kafka.config import SMALL_AND_QUICK
from app.local_kafka.jars import kafka_classpath

CONFIGS: Final = "kafka.admin.ConfigCommand"  # what kafka-configs.sh runs


async def tool_command(main: str, arguments: Sequence[str]) -> list[str]:
    """Return the command that runs a tool with its own options; the jars are fetched if they were not here.

    Raises `LocalKafkaError` when the extra is missing, or the jars cannot be had.
    """
    return [str(java()), *SMALL_AND_QUICK, "-cp", await kafka_classpath(), main, *arguments]
