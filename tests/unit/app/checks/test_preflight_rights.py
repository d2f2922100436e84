"""What `check` says of rights that a user lacks."""

import pytest

from app.checks import preflight
from app.settings.load import load
from bus.kafka import granted, topics
from bus.kafka.granted import Right

LOGIN = {
    "SMSBUS_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
    "SMSBUS_KAFKA__SASL_PLAIN_USERNAME": "receiver",
    "SMSBUS_KAFKA__SASL_PLAIN_PASSWORD": "a password",
}
CERTIFICATE = {"SMSBUS_KAFKA__SECURITY_PROTOCOL": "SSL"}


async def found(monkeypatch, lacking):
    async def inspect(*_):
        return topics.Findings()

    async def missing(*_):
        return lacking

    monkeypatch.setattr(topics, "inspect", inspect)
    monkeypatch.setattr(granted, "missing", missing)
    return [(each.mark, each.text) for each in await preflight.look_at_topics(load(), "receiver")]


@pytest.mark.parametrize(("login", "user"), [(LOGIN, "User:receiver"), ({}, "User:ANONYMOUS")], ids=["login", "open"])
async def test_a_right_that_is_missing_comes_with_the_command_that_gives_it(environment, monkeypatch, login, user):
    environment(login)

    ok, (mark, text) = await found(monkeypatch, [Right(("Write",), "topic", "sms.rejected.v1")])

    assert ok == ("ok", "all topics are configured correctly")
    assert (mark, text.partition(":")[0]) == ("failed", "this user has no Write on topic sms.rejected.v1")
    assert text.endswith(f"--add --allow-principal {user} --operation Write --topic sms.rejected.v1`")


async def test_of_a_certificate_only_brokers_know_the_user(environment, monkeypatch, tmp_path):
    certificate = tmp_path / "client.pem"
    certificate.touch()
    environment(CERTIFICATE | {"SMSBUS_KAFKA__SSL_CERTFILE": str(certificate)})

    _, (_, text) = await found(monkeypatch, [Right(("IdempotentWrite",), "cluster")])

    assert text.startswith("this user has no IdempotentWrite on cluster: an administrator runs `kafka-acls.sh")
    assert "--allow-principal User:USER " in text


async def test_of_rights_nothing_is_said_where_none_is_missing(environment, monkeypatch):
    environment({})

    assert await found(monkeypatch, []) == [("ok", "all topics are configured correctly")]
