"""The parts of starting and stopping that need neither a broker nor a socket."""

import resource

import pytest
from prometheus_client import generate_latest

from app import lifecycle
from app.lifecycle import instance_id
from app.refusal import StartRefused
from app.settings import load
from app.verified import marker


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

    with pytest.raises(StartRefused, match="SMSBUS_ACCOUNTS__<NAME>__PROVIDER=pingme"):
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
