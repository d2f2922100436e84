"""A test SMS goes through the real receiver; what that says of it is said, and nothing of the network is raised."""

import socket
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from app.own_callback import TO, OwnCallback
from app.settings.load import Settings
from app.wiring import receiver_origin
from bus.memory import MemoryBus
from receiver.metrics import ReceiverMetrics
from receiver.server import CallbackServer
from receiver.settings import PingMeAccount, ReceiverSettings
from sandbox.pingme_wire import CallbackResponse
from schemas.messages import SmsReceived

ACCOUNTS = [
    PingMeAccount(name="shop", tokens=(SecretStr("a-token-a-token-a-token"),), user_id="me"),
    PingMeAccount(name="other", tokens=(SecretStr("b-token-b-token-b-token"),)),
]


def said(answer: CallbackResponse | None) -> tuple[int, str | None, str | None, str | None]:
    assert answer
    return answer.http, answer.status, answer.id, answer.reason


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
async def receiver(bus: MemoryBus) -> AsyncIterator[CallbackServer]:
    server = CallbackServer(
        bus,
        ACCOUNTS,
        ReceiverSettings(host="127.0.0.1", port=0),
        clock_ms=lambda: 1_795_000_000_000,
        metrics=ReceiverMetrics(CollectorRegistry()),
    )
    await server.start()
    yield server
    await server.stop(1)


async def test_it_is_an_sms_like_any_with_a_code_of_its_own(bus: MemoryBus, receiver: CallbackServer) -> None:
    own = OwnCallback(lambda: f"http://127.0.0.1:{receiver.port}", lambda: ACCOUNTS)

    answers = [await own.send(name) for name in ("shop", "shop", "other")]

    messages = [message for message in bus.messages if isinstance(message, SmsReceived)]
    assert [said(each) for each in answers] == [(200, "accepted", message.id, None) for message in messages]
    assert [message.account for message in messages] == ["shop", "shop", "other"]
    assert len({message.code for message in messages} - {None}) == 3
    assert {(each.recipient, each.sender, each.freshness) for each in messages} == {(f"+{TO}", "smsbus", "live")}


async def test_an_account_that_is_not_there_and_a_receiver_that_is_not_are_told_apart() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and never listens
        own = OwnCallback(lambda: f"http://127.0.0.1:{unused.getsockname()[1]}", lambda: ACCOUNTS)

        assert await own.send("nobody") is None
        assert said(await own.send("shop")) == (0, None, None, None)


async def test_what_the_receiver_refuses_is_said(receiver: CallbackServer) -> None:
    strangers = [PingMeAccount(name="shop", tokens=(SecretStr("c-token-c-token-c-token"),))]
    own = OwnCallback(lambda: f"http://127.0.0.1:{receiver.port}", lambda: strangers)

    assert said(await own.send("shop")) == (404, None, None, "unknown_token")


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("10.0.0.7", "http://10.0.0.7:8080"),
    ],
)
def test_the_receiver_is_asked_where_it_listens(host: str, origin: str) -> None:
    settings = Settings.model_construct(receiver=ReceiverSettings.model_construct(host=host))

    assert receiver_origin(settings, 8080) == origin
