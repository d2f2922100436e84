"""Why a transaction failed, as its owner is told."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import ProducerFenced, TopicAuthorizationFailedError

from bus.settings import KafkaSettings
from bus.sharding.state_log import Fenced, NotCommitted, StateLog


class Producer:
    """The transaction has failed when its second record is sent; aiokafka then says that there is none."""

    def __init__(self, cause):
        self._cause = cause
        self._end = asyncio.get_running_loop().create_future()
        self._txn_manager = SimpleNamespace(wait_for_transaction_end=lambda: self._end)
        self._sent = 0

    async def begin_transaction(self): ...

    async def send(self, *_, **__):
        self._sent += 1
        if self._sent > 1:
            self._end.set_exception(self._cause)
            raise AssertionError
        return asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    ("cause", "raised", "words"),
    [
        (TopicAuthorizationFailedError(), NotCommitted, "TopicAuthorizationFailedError"),
        (ProducerFenced(), Fenced, None),
    ],
)
async def test_a_failed_transaction_is_told_by_its_cause(cause, raised, words, monkeypatch):
    async def discard(_): ...

    monkeypatch.setattr("bus.sharding.state_log.discard", discard)
    log = StateLog(KafkaSettings(), 0, group="g")
    log._producer = Producer(cause)

    with pytest.raises(raised, match=words):
        await log.commit({"one": b"1", "two": b"2"})
