"""Parts that many tests use. Sockets reach loopback only (pytest-socket in pyproject.toml)."""

pytest_plugins = ["tests.kafka_fixtures"]
