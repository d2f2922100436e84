"""One target: every event that it wants is sent to it, in the order of its partition, until it says 2xx."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol

import structlog

from bus.kafka.client import KafkaAway, is_cancelled
from bus.kafka.group_reader import Share, Work
from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part
from forwarding.delivery import NoResponse, Pause, Refuse, Response, Sent, Step, Stop, Tries
from forwarding.envelope import encoded, headers_of
from forwarding.letters import Letters, letter_of
from forwarding.sender import FORBIDDEN
from forwarding.signature import signed
from inbox.filters import Filter
from inbox.item import Item
from schemas.messages import SmsRejected

GRACE: Final = 1.0  # seconds for a request that is under way when its partition is given up
LONG: Final = 60.0  # seconds of waiting for a target, until that is a degraded reason
LATE_MS: Final = 24 * 3_600_000  # before Kafka deletes what waits
BLIND_AFTER: Final = 15.0  # seconds without an answer from Kafka
LETTER_PAUSE: Final = 5.0
MAY_BE_PRIVATE: Final = "its name leads to this machine or a private network: set its allow_private if that is right"

_log = structlog.get_logger("forward")


class Reader(Protocol):
    """What it reads with: `bus.kafka.group_reader.GroupReader`."""

    heard_at: float

    @property
    def shares(self) -> Mapping[Part, Share]:
        """Our partitions."""

    @property
    def retention_ms(self) -> Mapping[str, int]:
        """For how long Kafka keeps what is on each topic."""

    async def run(self, work: Work) -> None:
        """Run the work on each partition while it is ours."""


class Poster(Protocol):
    """What it sends with: `forwarding.sender.Sender`."""

    async def send(self, headers: Mapping[str, str], body: bytes) -> Response | NoResponse:
        """Send one request and return what came of it."""


class Waiting(NamedTuple):
    """A partition whose event the target does not take yet."""

    since: float
    """The loop's time."""
    reason: str


class Forward:
    """Forwarding to one target. `run` it."""

    def __init__(
        self,
        name: str,
        reader: Reader,
        poster: Poster,
        letters: Letters,
        wanted: Filter,
        *,
        key: bytes,
        now: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
        on_step: Callable[[Item, Step], None] = lambda *_: None,
    ) -> None:
        """`key`: of the signatures. `now`: seconds since 1970. `on_step` is told what comes of every request.

        Of a refused event it is told when the dead letter is in Kafka.
        """
        self.name = name
        self.sent = 0
        self.sent_at: float | None = None
        """When the target last took an event, in seconds since 1970."""
        self.refused = 0
        self.skipped = 0
        """Records that are not events."""
        self.failures: Counter[str] = Counter()
        """Requests that failed, by reason."""
        self.stopped = False
        """The target answered 410: it wants nothing any longer."""
        self._waiting: dict[Part, Waiting] = {}  # also of partitions that were given up, and may come back
        self._reader = reader
        self._poster = poster
        self._letters = letters
        self._wanted = wanted
        self._key = key
        self._now = now
        self._jitter = jitter
        self._on_step = on_step
        self._is_said = False  # that it waits

    async def run(self) -> None:
        """Forward until cancelled; Kafka need not be there.

        For a target that is gone it stays in the group and sends nothing: what waits is measured, and kept.
        """
        await self._reader.run(self._work)

    # ---- how far it is -------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> dict[Part, Waiting]:
        """Our partitions whose event the target does not take yet; a rebalance does not begin their time anew."""
        return {part: each for part, each in self._waiting.items() if part in self._reader.shares}

    @property
    def lag(self) -> int:
        """Records that were published and are not handled, those included that are not wanted."""
        return sum(max(share.end - share.next, 0) for share in self._reader.shares.values())

    @property
    def ms_until_deleted(self) -> int | None:
        """Milliseconds until Kafka deletes the oldest event that waits; None: none waits."""
        now_ms, kept = int(self._now() * 1000), self._reader.retention_ms
        waiting = [share for share in self._reader.shares.values() if share.waiting_since_ms is not None]
        left = [kept[share.part.topic] - (now_ms - (share.waiting_since_ms or 0)) for share in waiting]
        return min((ms for share, ms in zip(waiting, left, strict=True) if kept[share.part.topic] >= 0), default=None)

    def degraded(self) -> tuple[str, ...]:
        """Return the degraded reasons."""
        now, left = asyncio.get_running_loop().time(), self.ms_until_deleted
        waits = self.stopped or bool(self.waiting)
        holds = {
            f"forward_stopped:{self.name}": self.stopped,
            f"forward_blind:{self.name}": not self.stopped and now - self._reader.heard_at > BLIND_AFTER,
            f"forward_waiting:{self.name}": not self.stopped
            and any(now - each.since > LONG for each in self.waiting.values()),
            f"forward_expiring:{self.name}": waits and left is not None and left < LATE_MS,
        }
        return tuple(reason for reason, does_hold in holds.items() if does_hold)

    # ---- forwarding ----------------------------------------------------------------------------------------------

    async def _work(self, share: Share) -> None:
        while True:
            records = await share.read()
            if not records:
                self._waits_no_longer(share.part)
            for record in records:
                await self._handle(share.part, record)
                share.done()
                _end_if_cancelled()

    async def _handle(self, part: Part, record: ReadRecord) -> None:
        """Return when the record need not be read again."""
        item = Item.of(part, record)
        if item is None:
            self.skipped += 1
        elif self._wanted.matches(item):
            await self._deliver(item, record)

    async def _deliver(self, item: Item, record: ReadRecord) -> None:
        tries, event_id = Tries(), encoded(item.id)
        headers = headers_of(record.headers, event_id)
        while not self.stopped:
            tries, step = tries.after(await self._try(event_id, headers, item.value), self._jitter())
            if isinstance(step, Refuse):
                _end_if_cancelled()
                step = Refuse(step.status, await self._refuse(item, step.status))
            if isinstance(step, Stop):
                self._stop()
            self._on_step(item, step)
            if isinstance(step, Sent):
                self.sent, self.sent_at = self.sent + 1, self._now()
            if isinstance(step, Sent | Refuse):
                self._waits_no_longer(item.part)
                return
            _end_if_cancelled()
            if isinstance(step, Pause):
                self._waits(item.part, step)
                await asyncio.sleep(step.seconds)
        await asyncio.get_running_loop().create_future()  # until the partition is given up

    def _stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            _log.error("forward_stopped", forward=self.name, hint="it answered 410: start it again if it is back")

    async def _try(self, event_id: str, headers: Mapping[str, str], body: bytes) -> Response | NoResponse:
        """Send it once. If we are cancelled meanwhile it has a moment to end, so that it is not repeated for that."""
        signature = signed(self._key, event_id, body, int(self._now()))
        sending = asyncio.ensure_future(self._poster.send({**headers, **signature}, body))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            await asyncio.wait([sending], timeout=GRACE)
            if not sending.done():
                sending.cancel()
                raise
            return sending.result()

    def _waits(self, part: Part, step: Pause) -> None:
        now = asyncio.get_running_loop().time()
        since = self._waiting[part].since if part in self._waiting else now
        self._waiting[part] = Waiting(since, step.reason)
        self.failures[step.reason] += 1
        if not self._is_said and (now - since > LONG or step.reason == FORBIDDEN):
            self._is_said = True
            hint = {"hint": MAY_BE_PRIVATE} if step.reason == FORBIDDEN else {}
            _log.warning("forward_waiting", forward=self.name, reason=step.reason, **hint)

    def _waits_no_longer(self, part: Part) -> None:
        self._waiting.pop(part, None)
        if self._is_said and not self.waiting:
            self._is_said = False
            _log.info("forward_waiting_no_more", forward=self.name)

    async def _refuse(self, item: Item, status: int) -> str:
        """Return the dead letter's id when it is in Kafka; until then what follows waits."""
        letter = letter_of(item, forward=self.name, status=status, now_ms=int(self._now() * 1000))
        waits = False
        while not await self._is_put(letter, quiet=waits):
            waits = True
            await asyncio.sleep(LETTER_PAUSE)
        self.refused += 1
        _log.warning("forward_refused", forward=self.name, id=item.id, letter=letter.id, status=status)
        return letter.id

    async def _is_put(self, letter: SmsRejected, *, quiet: bool) -> bool:
        try:
            await self._letters.put(letter)
        except KafkaAway as away:
            if not quiet:
                _log.warning("forward_letter_waits", forward=self.name, reason=str(away))
            return False
        return True


def _end_if_cancelled() -> None:
    """End here if we were cancelled while a request was under way."""
    if is_cancelled():
        raise asyncio.CancelledError
