"""The real admin listener with the real inbox, page and watches, over topics in memory that a test publishes to."""

import asyncio
import time
import uuid
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiohttp.web import UrlDispatcher
from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import SecretStr

from app.admin.callbacks import CallbackApi
from app.admin.inbox import InboxApi
from app.admin.listener import Admin
from app.admin.rejected import RejectedApi
from app.admin.watches import Patience, WatchApi
from app.degraded import SINCE, labels_of
from app.rejected.replaying import Plan
from app.settings.sections import AdminSettings
from bus.kafka.client import KafkaAway
from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part, Positions
from bus.settings import KafkaSettings
from inbox.asking import Inbox
from inbox.following import Following
from inbox.metrics import InboxMetrics
from inbox.settings import InboxSettings
from inbox.tail import Tail
from pollers.tracking.state import WatchState
from receiver.server import TokenUse
from receiver.settings import PingMeAccount
from sandbox.pingme_wire import CallbackResponse
from schemas import topics
from schemas.identity import event_id, watch_id
from schemas.messages import Message, SmsReceived, Watch
from schemas.timestamps import to_epoch_ms, to_text
from tests.inbox_part import TableInMemory
from tests.loop_thread import LoopThread

TOKEN: Final = "a-long-token-of-the-admin"
NUMBER: Final = "16470000000"
AS_USUAL: Final = InboxSettings()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Topics:
    """What Kafka has: records by partition. An `inbox.following.Reader`."""

    cluster = "in memory"

    def __init__(self) -> None:
        names = (topics.RECEIVED, topics.REJECTED, topics.WATCH_ENDED)
        self.records: dict[Part, list[ReadRecord]] = {
            Part(name, number): [] for name in names for number in range(topics.MESSAGE_PARTITIONS)
        }
        self.away = False
        self._read_to: Positions = {}
        self._come = asyncio.Event()

    async def publish(self, messages: Iterable[Message], via: str) -> None:
        for message in messages:
            part = Part(message.TOPIC, zlib.crc32(message.key().encode()) % topics.MESSAGE_PARTITIONS)
            headers = {"ce_id": message.event_id.encode(), "smsbus_via": via.encode()}
            records, key = self.records[part], message.key().encode()
            records.append(
                ReadRecord(part.partition, len(records), _ms(message.event_time), key, message.to_json(), headers)
            )
        self._come.set()

    async def ends(self) -> Positions:
        if self.away:
            raise KafkaAway
        return {part: len(records) for part, records in self.records.items()}

    async def begins(self, since_ms: int, at_most: int) -> Positions:
        return dict.fromkeys(self.records, 0)

    def place(self, positions: Positions) -> None:
        self._read_to = dict(positions)

    def has_read_all(self) -> bool:
        return not self.away

    async def fetch(self) -> list[tuple[Part, ReadRecord]]:
        if self.away:
            raise KafkaAway
        try:
            async with asyncio.timeout(0.5):
                await self._come.wait()
        except TimeoutError:
            return []
        self._come.clear()
        new = [(part, record) for part, records in self.records.items() for record in records[self._read_to[part] :]]
        self._read_to = {part: len(records) for part, records in self.records.items()}
        return sorted(new, key=lambda pair: pair[1].timestamp_ms)


class Writer:
    """Takes commands as Kafka does, and remembers them."""

    def __init__(self) -> None:
        self.put_values: list[Watch] = []

    async def put(self, key: str, value: bytes | None) -> None:
        self.put_values.append(Watch.model_validate_json(value or b""))


@dataclass
class Condition:
    can_accept: bool = True
    degraded: tuple[str, ...] = ()


class Smsbus:
    """A service with an inbox, a PingMe account `shop` and a polled account `grizzly`."""

    def __init__(self, settings: InboxSettings = AS_USUAL) -> None:
        self.token = TOKEN
        self.admin: dict[str, Any] = {}  # more settings of the listener
        self.condition = Condition()
        self.writer = Writer()
        self.forwards: dict[str, bool] | None = {}  # which targets have passed each SMS
        self.user_id: str | None = None  # that callbacks of the account must have
        self.port = 0
        self._states = 0
        self._home = LoopThread()
        self._settings = settings
        self._topics = self._home.run(_made(Topics))
        self._table = TableInMemory()
        self._table._filled.set()
        self._admin: Admin | None = None
        self._following: Following | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    # ---- starting and stopping -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start, or start again, on the same port."""
        self._home.run(self._start())

    def stop(self) -> None:
        self._home.run(self._stop())

    def close(self) -> None:
        if self._admin is not None:
            self.stop()
        self._home.close()

    async def _start(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._following = Following(Tail(self._settings), self._settings, self._open_reader, now_ms=now_ms)
        inbox = Inbox(self._following, now_ms=now_ms)
        InboxMetrics(inbox, registry)
        self._metrics(registry)
        writer: Any = self.writer
        uses = [TokenUse("shop", "0123456789ab", newest=True, last_used_ms=None)]
        apis = [
            InboxApi(inbox, self._table, now_ms=now_ms, passed=self._passed),
            RejectedApi(inbox, KafkaSettings(), self._accounts, instance="this", now_ms=now_ms),
            CallbackApi(lambda: uses, now_ms, send=self._send_test),
            WatchApi(
                self._table,
                writer,
                accounts={"grizzly": "grizzlysms"},
                now_ms=now_ms,
                patience=Patience(ready=0.001, outcome=0.001),
            ),
        ]

        def add_to(router: UrlDispatcher) -> None:
            for api in apis:
                api.add_to(router)

        self._admin = Admin(
            AdminSettings(port=self.port, token=SecretStr(self.token), **self.admin),
            alive=lambda: True,
            condition=self._condition,
            registry=registry,
            extend=add_to,
        )
        self._following.start()
        await self._admin.start()
        self._admin.ready = True
        self.port = self._admin.port

    def _metrics(self, registry: CollectorRegistry) -> None:
        callbacks = Counter("smsbus_callbacks", "", ["account", "outcome"], registry=registry)
        callbacks.labels("shop", "accepted").inc(1204)
        Counter("smsbus_published", "", registry=registry).inc(1198)
        Gauge("smsbus_kafka_connected", "", registry=registry).set_function(
            lambda: float("kafka_away" not in self.condition.degraded)
        )
        Gauge("smsbus_journal_rows", "", registry=registry).set_function(
            lambda: 1204.0 * ("kafka_away" in self.condition.degraded)
        )
        for name, value in {"account_open": 1, "polls_queued": 2, "account_stretch": 1.4, "account_budget": 2}.items():
            Gauge(f"smsbus_{name}", "", ["account"], registry=registry).labels("grizzly").set(value)
        self.polls = Counter("smsbus_polls", "", ["account", "outcome"], registry=registry)
        self.polls.labels("grizzly", "waiting").inc(100)
        self.heard = Gauge("smsbus_poll_last_success_timestamp_seconds", "", ["account"], registry=registry)
        self.heard.labels("grizzly").set_to_current_time()

    async def _send_test(self, account: str) -> CallbackResponse | None:
        message = sms("Test SMS from smsbus: your code is 482913.", code="482913", account=account, sender="smsbus")
        if self.condition.can_accept:
            await self._topics.publish([message], "kafka")
        accepted = CallbackResponse(200, "accepted", message.id)
        return accepted if self.condition.can_accept else CallbackResponse(503, reason="not_durable")

    async def _passed(self, *_: object) -> dict[str, bool] | None:
        return self.forwards

    def _accounts(self) -> list[PingMeAccount]:
        return [PingMeAccount(name="shop", tokens=(SecretStr("a-token-of-callbacks"),), user_id=self.user_id)]

    async def published(self, _: object, plan: Plan, on_read: object) -> set[str]:
        """Which SMS of a replay are on the topic: in the place of `app.rejected.replaying.published`."""
        del on_read
        there = {
            (record.headers or {})["ce_id"].decode() for records in self._topics.records.values() for record in records
        }
        return there & {*plan.sms}

    async def replay(self, _: object, plan: Plan, **more: object) -> AsyncIterator[str]:
        """Publish them: in the place of `app.rejected.replaying.publish`."""
        del more
        for message in plan.sms.values():
            await self._topics.publish([message], "replay")
            yield message.id

    def _condition(self) -> Condition:
        of_inbox = self._following.degraded() if self._following else ()
        return Condition(self.condition.can_accept, self.condition.degraded + of_inbox)

    @asynccontextmanager
    async def _open_reader(self) -> AsyncIterator[Topics]:
        if self._topics.away:
            raise KafkaAway
        yield self._topics

    async def _stop(self) -> None:
        assert self._admin is not None
        assert self._following is not None
        await self._following.stop()
        await self._admin.stop()
        self._admin = None

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return self._following.tail.subscribers if self._following else 0

    # ---- what happens ----------------------------------------------------------------------------------------------

    def publish(self, *messages: Message, via: str = "kafka") -> None:
        self._home.run(self._topics.publish(messages, via))

    def sms(self, text: str | None, to: str = NUMBER, **changes: Any) -> SmsReceived:
        """Publish an SMS."""
        message = sms(text, to, **changes)
        self.publish(message)
        return message

    def since(self, reason: str) -> float:
        """Since when this reason holds, as the metrics say it: seconds since 1970."""
        value = self._registry.get_sample_value(SINCE, labels_of(reason))
        assert value is not None
        return value

    def kafka_goes(self, *, away: bool) -> None:
        self._topics.away = away
        self.condition.degraded = ("kafka_away", "messages_in_journal") if away else ()

    def order(
        self, order_id: str, number: str, service: str, *, minutes: float = 12, desired: str = "watch", **state: Any
    ) -> str:
        """Open a watch, and let its shard write this state of it; return its id."""
        handle = watch_id("grizzly", "activation", order_id)
        opened = now_ms() - 8 * 60_000
        watch = Watch(
            watch_id=handle, account="grizzly", order_kind="activation", order_id=order_id, recipient=number,
            service=service, opened_at=to_text(opened), expires_at=to_text(now_ms() + int(minutes * 60_000)),
            desired=desired,
        )  # fmt: skip
        state = {"looked_ms": now_ms(), "first_look": False, **state}
        written = WatchState(watch=watch, provider="grizzlysms", key=number, **state)
        self._home.run(self._take(watch, written))
        return handle

    async def _take(self, watch: Watch, state: WatchState) -> None:
        self._table.put(watch)
        self._states += 1
        self._table.take(
            topics.STATES, ReadRecord(0, self._states, now_ms(), watch.watch_id.encode(), state.to_json(), {})
        )


def sms(text: str | None, to: str = NUMBER, *, code: str | None = None, ago: float = 0, **changes: Any) -> SmsReceived:
    """An SMS of its own, observed so many seconds ago."""
    at = now_ms() - int(ago * 1000)
    values: dict[str, Any] = {
        "id": event_id("pingme", "shop", None, None, (uuid.uuid4().hex,)),
        "provider": "pingme",
        "account": "shop",
        "received_via": "callback",
        "service": "jd",
        "recipient": f"+{to}",
        "recipient_raw": to,
        "sender": "JD",
        "sender_raw": "JD",
        "sender_kind": "alphanumeric",
        "text": text,
        "code": code,
        "code_source": "extracted" if code is not None else None,
        "provider_time": to_text(at - 300),
        "provider_time_raw": to_text(at - 300),
        "provider_time_basis": "stated",
        "observed_at": to_text(at),
        "freshness": "live",
        **changes,
    }
    return SmsReceived(**values)


def _ms(text: str) -> int:
    return to_epoch_ms(text)


async def _made(kind: type[Topics]) -> Topics:
    return kind()
