"""What was seen from outside during a run: tries and answers, the sandbox's book, the topics, the faults. Pure.

Times are seconds since 1970 by this machine's clock; posts that stand alone may have any clock. The book and the topics
are read when nothing is under way any longer.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

Sms = tuple[str, str, str, str]
"""Which SMS it is: provider, kind and order (empty for a callback), nonce. Equal codes of an order share one."""
Order = tuple[str, str, str]
"""Provider, kind, order."""


class Post(NamedTuple):
    """One try to post one callback."""

    nonce: str
    number: str
    index: int
    """The how-manieth SMS of its number."""
    receiver: str
    """The process that was asked, with its start: `receiver-1#2` is the second start of `receiver-1`."""
    at: float
    """When it began."""
    seconds: float
    status: int | None = None
    """None: no answer."""
    id: str | None = None
    failure: str = ""
    """Why there is no answer: the name of the client's exception."""
    retry_after: str | None = None
    body: str = ""
    """Of an answer that is not 200."""

    @property
    def ended(self) -> float:
        return self.at + self.seconds

    @property
    def sms(self) -> Sms:
        return ("pingme", "", "", self.nonce)


class Shown(NamedTuple):
    """An SMS in the sandbox's book (docs/sandbox.md), whether or not an answer showed it."""

    provider: str
    kind: str
    order: str
    number: str
    index: int
    nonce: str
    code: str
    text: str
    at: float
    """When it arrived."""
    shown: float | None
    """When the first answer that carried it was fully written."""
    shows: int
    passed: float | None
    """When the first answer was fully written that waits for the one after it."""
    ends: float | None = None
    """When its order ended or will end, if the run knows: what `POST /control/orders` answered, or our own ending."""

    @property
    def sms(self) -> Sms:
        return (self.provider, self.kind, self.order, self.nonce)


class Act(NamedTuple):
    """The sandbox heard an action on an order (`next`, `finish`, `cancel`), if it tells so."""

    provider: str
    kind: str
    order: str
    action: str
    at: float


class Record(NamedTuple):
    """One record of `sms.received.v1`."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    """When it was appended, if the topic has `message.timestamp.type=LogAppendTime`; else when the SMS was seen."""
    key: str
    id: str
    nonce: str
    number: str
    provider: str
    order_kind: str
    order: str
    """As the one before: empty for a callback."""
    sequence: int | None
    via: str
    instance: str
    """The process that accepted it, a name for each start."""
    account: str = ""
    observed: float = 0.0
    """When a process of ours first saw it, by its own word."""

    @property
    def sms(self) -> Sms:
        return (self.provider, self.order_kind, self.order, self.nonce)


class DeadLetter(NamedTuple):
    """One record of `sms.rejected.v1`; what its bytes do not tell is empty."""

    id: str
    provider: str
    order_kind: str
    order: str
    nonce: str
    refused_id: str
    """The id of the SMS that Kafka refused."""
    stage: str
    reason: str

    @property
    def sms(self) -> Sms:
        return (self.provider, self.order_kind, self.order, self.nonce)


class Ended(NamedTuple):
    """One record of `sms.watch-ended.v1`."""

    watch_id: str
    provider: str
    order_kind: str
    order: str
    sms_count: int
    reason: str
    timestamp_ms: int
    """As that of `Record`."""


class Fault(NamedTuple):
    """Something was wrong from `at`, a moment before, to `until`, a moment after. Windows may overlap."""

    name: str
    at: float
    until: float
    parts: tuple[str, ...] = ()
    """Processes that need not answer meanwhile, without their start: `receiver-1`, `poller-2`. Dead, or paused."""
    ending: bool = False
    """The parts were asked to end: they may refuse connections, but break none off."""
    clock: float = 0.0
    """By how many seconds clocks of ours were wrong, at most."""


class Ledger(NamedTuple):
    """What a process says of itself at one moment."""

    part: str
    accepted: int
    adopted: int
    published: int
    pending: int
    rejected: int
    skipped: int = 0


class History(NamedTuple):
    """One run. Records are in the order of their partitions; everything else is in any order."""

    posts: tuple[Post, ...] = ()
    shown: tuple[Shown, ...] = ()
    acts: tuple[Act, ...] = ()
    records: tuple[Record, ...] = ()
    rejected: tuple[DeadLetter, ...] = ()
    ended: tuple[Ended, ...] = ()
    faults: tuple[Fault, ...] = ()
    ledgers: tuple[Ledger, ...] = ()

    def save(self, path: Path) -> None:
        """Write JSON lines, one a tuple, that `load` makes the same history of."""
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(line)}\n" for line in self._lines())

    def _lines(self) -> Iterator[dict[str, Any]]:
        for name, rows in self._asdict().items():
            yield from ({"in": name, **row._asdict()} for row in rows)


ROWS: dict[str, type[NamedTuple]] = {
    "posts": Post,
    "shown": Shown,
    "acts": Act,
    "records": Record,
    "rejected": DeadLetter,
    "ended": Ended,
    "faults": Fault,
    "ledgers": Ledger,
}


def load(path: Path) -> History:
    """Read what `History.save` wrote."""
    rows: dict[str, list[Any]] = {name: [] for name in ROWS}
    with path.open(encoding="utf-8") as file:
        for line in file:
            fields = json.loads(line)
            name = fields.pop("in")
            rows[name].append(ROWS[name](**{key: _frozen(value) for key, value in fields.items()}))
    return History(**{name: tuple(each) for name, each in rows.items()})


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
