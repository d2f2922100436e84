"""The pytest plugin: `sms_inbox`, `sms_sandbox`, `sms_faults`; the options `sms_numbers` and `--sms-reveal`."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from smsbus_testing.client import SmsInbox
from smsbus_testing.sandbox import Shared, SmsSandbox

NUMBER_SECONDS = 600  # for one of the numbers to be free


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    help_numbers = "real numbers that tests may use, one a test at a time; without them the sandbox makes one a test"
    parser.addini("sms_numbers", help_numbers, type="linelist", default=[])
    group = parser.getgroup("smsbus")
    group.addoption("--sms-reveal", action="store_true", help="show numbers and texts of real SMS in failures")


def pytest_report_header(config: pytest.Config) -> str:
    """Say which service the tests would use."""
    url = os.environ.get("SMSBUS_URL")
    if config.getini("sms_numbers"):
        return f"smsbus: {url or 'no service, since SMSBUS_URL is not set'} (sms_numbers is set)"
    return f"smsbus: the sandbox ({'SMSBUS_URL is set, but ' if url else ''}sms_numbers is not set)"


@pytest.fixture(scope="session")
def sms_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmsSandbox]:
    """A Kafka, smsbus and simulated providers on free ports, started once for all processes of the run."""
    shared = Shared(_of_the_run(tmp_path_factory))
    try:
        yield shared.enter()
    finally:
        shared.leave()


@pytest.fixture
def sms_inbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmsInbox]:
    """The inbox of a number that belongs to this test; empty when the test begins.

    With `sms_numbers` in pytest's configuration one of them, at the service that SMSBUS_URL and SMSBUS_TOKEN name;
    else one that the sandbox makes.
    """
    numbers: list[str] = request.config.getini("sms_numbers")
    if numbers:
        reveal = bool(request.config.getoption("--sms-reveal"))
        with _one_of(numbers, _of_the_run(tmp_path_factory)) as number, SmsInbox(number, reveal=reveal) as inbox:
            yield inbox
        return
    sandbox: SmsSandbox = request.getfixturevalue("sms_sandbox")
    with SmsInbox(sandbox.number(), url=sandbox.url, token=sandbox.token, reveal=True) as inbox:
        yield inbox


@pytest.fixture
def sms_faults(sms_sandbox: SmsSandbox) -> Iterator[SmsSandbox]:
    """The sandbox, whose faults end with the test: `sms_faults.add_fault("429", provider="smsman")`."""
    yield sms_sandbox
    sms_sandbox.clear_faults()


def _of_the_run(factory: pytest.TempPathFactory) -> Path:
    """Return a directory that all processes of this run have in common."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


class _one_of:  # noqa: N801 - a context
    """Hold one of these numbers; no other process of the run has it meanwhile."""

    def __init__(self, numbers: list[str], directory: Path) -> None:
        self._locks = {
            number: FileLock(directory / f"smsbus-number-{index}.lock") for index, number in enumerate(numbers)
        }
        self._held: FileLock | None = None

    def __enter__(self) -> str:
        for _ in range(NUMBER_SECONDS * 5 // len(self._locks)):
            for number, lock in self._locks.items():
                try:
                    lock.acquire(timeout=0.2)
                except Timeout:
                    continue
                self._held = lock
                return number
        message = f"none of the {len(self._locks)} numbers of sms_numbers was free for {NUMBER_SECONDS} s"
        raise TimeoutError(message)

    def __exit__(self, *_: object) -> None:
        if self._held is not None:
            self._held.release()
