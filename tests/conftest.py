"""Parts that many tests use. Sockets reach loopback only (pytest-socket in pyproject.toml)."""

import gc
import logging
import os
import signal
import socket
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.kafka_fixtures", "tests.side_by_side"]

# How long an example takes says more of what else runs here than of us.
settings.register_profile("beside others", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside others")

# Where nobody has configured it, structlog shows each exception with the variables of all frames: a fifth of a second.
for each in structlog.get_config()["processors"]:
    if isinstance(each, structlog.dev.ConsoleRenderer):
        each.exception_formatter = structlog.dev.plain_traceback


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)


@pytest.fixture
def process_is_restored() -> Iterator[None]:
    """Commands set logging, umask and signals of a process of their own; leave them to the next test as they were."""
    mask = os.umask(0o022)
    os.umask(mask)
    signals = {each: signal.getsignal(each) for each in SIGNALS}
    root, aiokafka = logging.getLogger(), logging.getLogger("aiokafka")
    handlers, level, aiokafka_level = root.handlers[:], root.level, aiokafka.level
    root.handlers.clear()  # `configure` would close them
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    aiokafka.setLevel(aiokafka_level)
    logging.getLogger("forward").filters.clear()
    structlog.reset_defaults()
    os.umask(mask)
    for each, handler in signals.items():
        signal.signal(each, handler)  # what is ignored here is ignored by every process that a later test starts


@pytest.fixture(autouse=True)
def process_is_left_alone() -> Iterator[None]:
    """What a test leaves changed makes later ones fail: where SIGTERM is ignored, children are deaf."""
    before = _of_the_process()
    yield
    assert _of_the_process() == before, "it runs a command? let it use process_is_restored"


def _of_the_process() -> dict[str, object]:
    umask = os.umask(0o022)
    os.umask(umask)
    is_deaf = signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    return {"SIGTERM is ignored": is_deaf, "umask": umask, "log level": logging.getLogger().level}


@pytest.fixture
def no_collections() -> Iterator[None]:
    """For what measures or is charged CPU time: a collection of the whole run's objects takes longer than that."""
    collects = gc.isenabled()
    gc.disable()
    yield
    if collects:
        gc.enable()


@pytest.fixture
def unused_tcp_port() -> Iterator[int]:
    """In place of pytest-asyncio's: nobody listens there, and until the test has ended nobody else can."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--times", type=int, default=1, help="run what takes `time_in_a_row` so many times")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "time_in_a_row" in metafunc.fixturenames:
        metafunc.parametrize("time_in_a_row", range(metafunc.config.getoption("--times")))
