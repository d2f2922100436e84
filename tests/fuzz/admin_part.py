"""The real admin listener of a process that polls, as `parts` has the public one; its watches are in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp.web import UrlDispatcher
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from app.admin.callbacks import CallbackApi
from app.admin.inbox import InboxApi
from app.admin.journals import JournalApi
from app.admin.listener import Admin
from app.admin.rejected import RejectedApi
from app.admin.watches import Patience, WatchApi
from app.settings.sections import AdminSettings
from bus.journal.rows import RawRow, RowName, Which
from bus.journal.skipped import Skip
from bus.kafka.client import KafkaAway
from bus.kafka.reader import ReadRecord
from bus.settings import KafkaSettings
from inbox.following import Following
from pollers.tracking.state import WatchState
from pollers.watches.watch_table import WatchTable
from receiver.server import TokenUse
from schemas.messages import SmsReceived, Watch
from schemas.timestamps import to_text
from schemas.topics import STATES
from tests.fuzz.parts import ACCOUNT, NOW_MS, Complaints
from tests.inbox_part import TableInMemory, Topics, inbox_of
from tests.loop_thread import LoopThread
from tests.messages import rejected

ADMIN_TOKEN: Final = "a-long-token-of-the-admin"
JOURNAL: Final = "abcdefghijkl"
OPEN, ENDED = "open-watch", "ended-watch"
NUMBER: Final = "16470000000"
SMS: Final = SmsReceived(
    id="6bd66c27-1e4d-872d-a312-5fc86f25695a",
    provider="pingme",
    account=ACCOUNT,
    received_via="callback",
    recipient=f"+{NUMBER}",
    recipient_raw=NUMBER,
    text="Your code is 4711",
    code="4711",
    code_source="extracted",
    observed_at=to_text(NOW_MS),
    freshness="live",
)


class Writer:
    """Takes commands as Kafka does, or as it does while it is away."""

    def __init__(self) -> None:
        self.away = False

    async def put(self, key: str, value: bytes | None) -> None:
        if self.away:
            raise KafkaAway


class Hands:
    """One journal with one row."""

    journals = (JOURNAL,)

    async def rows(self, journal: str, which: Which, max_bytes: int) -> list[RawRow]:
        columns = {
            "id": b"x",
            "topic": b"sms.received.v1",
            "partition": 0,
            "value": b"{}",
            "timestamp_ms": 1,
            "size": 2,
        }
        return [RawRow(1, columns, intact=True)]

    async def skip(self, name: RowName) -> Skip:
        if name.journal != JOURNAL:
            return "elsewhere"
        return "skipped" if name.seq == 1 else "unknown"


@dataclass(frozen=True)
class Condition:
    can_accept: bool = True
    degraded: tuple[str, ...] = ("kafka_away",)


@dataclass
class Internal:
    """The admin listener of a process that polls, with its watches."""

    admin: Admin
    table: WatchTable
    writer: Writer
    home: LoopThread
    complaints: Complaints = field(default_factory=Complaints)

    @property
    def port(self) -> int:
        return self.admin.port


@contextmanager
def internal(*, read: bool = True) -> Iterator[Internal]:
    """An open admin listener, which wants `ADMIN_TOKEN`. Its inbox has `SMS`, if the topics are `read`."""
    home, writer, table, topics = LoopThread(), Writer(), TableInMemory(), Topics(now_ms=NOW_MS)
    if read:
        table._filled.set()
    topics.away = not read
    topics.publish(SMS)
    topics.publish(rejected(b"no JSON"))
    inbox = inbox_of(topics)
    writer_like: Any = writer
    api = WatchApi(
        table,
        writer_like,
        accounts={ACCOUNT: "grizzlysms"},
        now_ms=lambda: NOW_MS,
        patience=Patience(ready=0.001, outcome=0.001),  # there is no shard
    )
    uses = [TokenUse(ACCOUNT, "0123456789ab", newest=True, last_used_ms=NOW_MS)]
    callbacks = CallbackApi(lambda: uses, lambda: NOW_MS)

    def add_to(router: UrlDispatcher) -> None:
        api.add_to(router)
        callbacks.add_to(router)
        InboxApi(inbox, table, now_ms=lambda: NOW_MS).add_to(router)
        RejectedApi(inbox, KafkaSettings(), list, instance="one", now_ms=lambda: NOW_MS).add_to(router)
        JournalApi(Hands()).add_to(router)

    admin = Admin(
        AdminSettings(port=0, token=SecretStr(ADMIN_TOKEN)),
        alive=lambda: True,
        condition=Condition,
        registry=CollectorRegistry(),
        extend=add_to,
    )
    admin.ready = True
    opened = Internal(admin, table, writer, home)
    with opened.complaints.listening(home):
        home.run(_started(admin, inbox.following))
        yield opened
        home.run(admin.stop())
        home.run(inbox.following.stop())
    home.close()


async def _started(admin: Admin, following: Following) -> None:
    following.start()
    await admin.start()


def with_watches(part: Internal) -> Internal:
    """Return it with one watch that is open and one that has ended."""
    for number, watch_id in enumerate((OPEN, ENDED)):
        times = {"opened_at": to_text(NOW_MS), "expires_at": to_text(NOW_MS + 1000)}
        watch = Watch(watch_id=watch_id, account=ACCOUNT, order_kind="activation", order_id=watch_id, **times)
        ended = "expired" if watch_id == ENDED else None
        state = WatchState(watch=watch, provider="smsman", key="1", looked_ms=NOW_MS, ended=ended)
        part.table.put(watch)
        part.table.take(STATES, ReadRecord(0, number, NOW_MS, watch_id.encode(), state.to_json(), {}))
    return part
