"""The parts of starting and stopping that need neither a broker nor a socket."""

import resource

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from app import lifecycle
from app.checks.topics import marker
from app.errors import StartupError
from app.lifecycle import instance_id
from app.settings.load import load


def test_every_process_has_its_own_name():
    assert instance_id() != instance_id()


def test_a_process_may_open_as_many_files_as_the_system_lets_it():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))

    lifecycle.allow_many_connections()
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert allowed == (before[1], before[1])


async def test_without_an_account_there_is_nothing_to_serve(environment, monkeypatch):
    environment({})
    monkeypatch.setattr(lifecycle.logs, "configure", lambda *_: None)

    with pytest.raises(StartupError, match="SMSBUS_ACCOUNTS__<NAME>__PROVIDER=pingme"):
        await lifecycle.serve(load())


def test_the_version_is_a_metric():
    assert b'smsbus_build_info{version="' in generate_latest(lifecycle._registry())


@pytest.mark.parametrize(
    "other",
    [{"SMSBUS_KAFKA__BOOTSTRAP_SERVERS": "other:9092"}, {"SMSBUS_KAFKA__TOPIC_PREFIX": "x."}],
)
def test_what_was_verified_elsewhere_says_nothing_about_here(environment, other):
    environment({"SMSBUS_BUS__JOURNAL_DIR": "/j"})
    here = marker(load(), "all")

    environment(other)

    assert marker(load(), "all") != here
    assert marker(load(), "all").parent == here.parent


@pytest.mark.parametrize(
    ("most", "role", "warned"),
    [
        (1024, "all", True),
        (8000, "receiver", True),  # Kafka and the journal need some as well
        (1024, "pollers", False),
        (8200, "all", False),
        (resource.RLIM_INFINITY, "all", False),
    ],
)
def test_fewer_files_than_connections_are_said_once_with_what_to_do(environment, monkeypatch, most, role, warned):
    environment({"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "x" * 24})
    monkeypatch.setattr(lifecycle.resource, "getrlimit", lambda _: (256, most))

    with capture_logs() as lines:
        lifecycle._warn_of_few_files(load(), role)

    assert [(line["event"], line["may_open"]) for line in lines] == ([("few_open_files", most)] if warned else [])
    assert all("LimitNOFILE" in line["hint"] and "receiver.max_connections" in line["hint"] for line in lines)


async def test_few_files_are_said_before_anything_is_served_or_workers_are_started(environment, monkeypatch, tmp_path):
    environment({"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "x" * 24})
    monkeypatch.setenv("SMSBUS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(lifecycle.logs, "configure", lambda *_: None)
    monkeypatch.setattr(lifecycle.resource, "getrlimit", lambda _: (256, 1024))

    async def refuse(*_):
        raise StartupError(["no"])

    monkeypatch.setattr(lifecycle.topics, "verify", refuse)
    with capture_logs() as lines, pytest.raises(StartupError):
        await lifecycle.serve(load(), workers=2)

    assert [line["event"] for line in lines] == ["few_open_files"]
