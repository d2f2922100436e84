"""Parts that many tests use. Sockets reach loopback only (pytest-socket in pyproject.toml)."""

import logging
from collections.abc import Iterator

import pytest
import structlog

pytest_plugins = ["tests.kafka_fixtures"]


@pytest.fixture
def logging_is_restored() -> Iterator[None]:
    """Commands configure logging for a process of their own; leave it to the next test as it was."""
    root, aiokafka = logging.getLogger(), logging.getLogger("aiokafka")
    handlers, level, aiokafka_level = root.handlers[:], root.level, aiokafka.level
    root.handlers.clear()  # `configure` would close them
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    aiokafka.setLevel(aiokafka_level)
    structlog.reset_defaults()
