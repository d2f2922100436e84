"""Everything of one run of the receiver: processes, senders, Kafka, files; and the record of what happened."""

import asyncio
import gc
import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, NamedTuple

from tests.simulation.place import Place
from tests.simulation.receiver import edges
from tests.simulation.receiver.edges import Arrived
from tests.simulation.receiver.plan import ReceiverPlan
from tests.simulation.receiver.process import ReceiverProcess
from tests.simulation.receiver.senders import Post, Sender
from tests.simulation.receiver.wire import Line

REST: Final = 1200.0  # seconds after a run in which all is well: what waits must be gone then
LOOK: Final = 10.0
MEMORY: Final = Path("/dev/shm")  # a journal's fsyncs are quicker there
CENSUS: Final = 600.0  # seconds between two counts of what a receiver remembers
FRESH: Final = 5.0  # seconds for which a look into a journal's file is good
TROUBLES: Final = frozenset({
    *("kafka_away", "account_limited", "over_share", "journal_unwritable", "records_refused", "reload_refused"),
    "journal_quarantined",
})  # fmt: skip


NOT_COUNTED: Final = (type, ModuleType, FunctionType, CodeType, asyncio.AbstractEventLoop, Place, ReceiverProcess)


class Sample(NamedTuple):
    """How a receiver was at a moment."""

    at: float
    life: str
    words: tuple[str, ...]
    alive: bool


class Snapshot(NamedTuple):
    """What lay in the file of a receiver's own journal at a moment: bytes by account."""

    at: float
    life: str
    held: dict[str, int]


class Said(NamedTuple):
    """A line of the log."""

    at: float
    life: str
    level: str
    event: str
    account: str


class Left(NamedTuple):
    """A journal's directory, as it lay there in the end."""

    name: str
    size: int
    texts: int
    """So many SMS can be read in its files."""


class ReceiverTown(Place):
    """Made for one seed and one plan; `run` it once."""

    def __init__(self, plan: ReceiverPlan, seed: int, hours: float) -> None:
        super().__init__(seed, hours)
        self.plan = plan
        self.directory = Path(tempfile.mkdtemp(prefix="receiver-", dir=MEMORY if MEMORY.is_dir() else None))
        self.config = self.directory / "smsbus.toml"
        self.tokens = {account: [f"{account}-token-of-the-first-hour"] for account in plan.accounts}
        self.config.write_text(self.toml())
        self.receivers = [ReceiverProcess(self, f"receiver-{number}") for number in range(1, plan.receivers + 1)]
        self.senders = {account: Sender(self, account, token) for account, [token] in self.tokens.items()}
        self.lines: set[Line] = set()
        self.fsyncs = self.random("fsyncs")
        self.posts: list[Post] = []
        self.arrived: list[Arrived] = []
        self.samples: list[Sample] = []
        self.snapshots: list[Snapshot] = []
        self.censuses: list[tuple[float, str, Counter[str]]] = []
        self.logged: list[Said] = []
        self.left: list[Left] = []
        self._asking = ""
        self.disk_full = False
        self.editing = asyncio.Lock()
        """Held by who changes smsbus.toml."""
        self.valid: list[tuple[float, frozenset[str]]] = []
        """From when on which tokens are valid."""
        self.over = False
        """The plan is: nobody sends anything new, and nothing breaks any more."""

    @property
    def is_slow(self) -> bool:
        """Requests to Kafka were slow now and then."""
        return any(what == "slow" for _, what, _ in self.notes)

    @property
    def journals(self) -> Path:
        """Where they lie."""
        return self.directory / "journal"

    def toml(self) -> str:
        """Return what stands in smsbus.toml at first."""
        lines = [f'data_dir = "{self.directory}"']
        for section, values in self.plan.settings().items():
            lines += [f"[{section}]", *(f"{name} = {str(value).lower()}" for name, value in values.items())]
        for account, tokens in self.tokens.items():
            lines += [f"[accounts.{account}]", 'provider = "pingme"', f"callback_tokens = {tokens}".replace("'", '"')]
        return "\n".join(lines) + "\n"

    # ---- life ------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Let all of it happen, then rest."""
        self.listen()
        with edges.in_place(self):
            self.hang_up()
            for receiver in self.receivers:
                receiver.start()
            for begin in self.plan.begins:
                self.spawn(begin(self))
            self.spawn(self._watch())
            self.driver.run(self.clock.now + self.seconds)
            self._rest()
            self.driver.run(self.clock.now + REST)
            self.left = [self._left(path) for path in sorted(self.journals.iterdir()) if path.is_dir()]
            for receiver in self.receivers:
                receiver.kill()
            self.driver.end()

    def _rest(self) -> None:
        self.over = True
        self.disk_is_full(False)
        self.faults.refused = self.faults.unknown = self.faults.slow = 0.0
        if self.kafka.away:
            self.kafka.come_back()
        for receiver in self.receivers:
            if not receiver.up:
                receiver.start()
            receiver.loop.asleep = False

    def disk_is_full(self, full: bool) -> None:
        """Let the disk take nothing, or take all again."""
        self.disk_full = full
        self.note("disk", "full" if full else "free")

    def remove(self) -> None:
        """Leave no files behind."""
        shutil.rmtree(self.directory)

    def hang_up(self) -> None:
        """Let every receiver read smsbus.toml again, whose tokens are these from now on."""
        self.valid.append((self.clock.now, frozenset(token for each in self.tokens.values() for token in each)))
        for receiver in self.receivers:
            if receiver.up:
                receiver.hangup.ask()

    # ---- looking ---------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        census_at = self.loop.time() + CENSUS
        while True:
            await asyncio.sleep(LOOK)
            is_due = self.loop.time() >= census_at
            census_at += CENSUS if is_due else 0.0
            for receiver in self.receivers:
                if receiver.bus is not None and receiver.is_open and not receiver.asleep:
                    self._asking = receiver.life
                    self.samples.append(Sample(self.loop.time(), receiver.life, receiver.words(), receiver.bus.alive()))
                    self._asking = ""
                    if self.kafka.away:
                        self.snapshot(receiver)
                    if is_due:
                        self.censuses.append((self.loop.time(), receiver.life, _census(receiver.bus, receiver.server)))

    def snapshot(self, receiver: ReceiverProcess) -> None:
        """Look into the file of a receiver's own journal, past everything that the receiver knows of it."""
        recent = next((each for each in reversed(self.snapshots) if each.life == receiver.life), None)
        if not receiver.claims or (recent is not None and self.clock.now - recent.at < FRESH):
            return
        path = receiver.claims[0].directory / "journal.sqlite"
        held: Counter[str] = Counter()
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            for headers, size in connection.execute("SELECT headers, size FROM rows"):
                held[headers.partition("/smsbus/pingme/")[2].partition('"')[0]] += size
        self.snapshots.append(Snapshot(self.clock.now, receiver.life, held))

    def _left(self, path: Path) -> Left:
        contents = [each.read_bytes() for each in path.iterdir()]
        return Left(path.name, sum(map(len, contents)), sum(each.count(b"code is") for each in contents))

    def is_expected(self, name: str, event: dict[str, Any]) -> bool:
        """What is degraded is said as an error."""
        return name in TROUBLES

    def _logged(self, logger: object, level: str, event: dict[str, Any]) -> dict[str, Any]:
        name = getattr(asyncio._get_running_loop(), "name", "")
        life = self._asking or next((receiver.life for receiver in self.receivers if receiver.name == name), "")
        account = str(event.get("account", ""))
        self.logged.append(Said(self.clock.now, life, level, str(event.get("event")), account))
        return super()._logged(logger, level, event)

    def digest(self) -> str:
        """Return what stands for all that happened: equal for equal seeds, in any process."""
        sums = blake2b(digest_size=8)
        for post in self.posts:
            sums.update(
                f"{post.sent:.6f} {post.answered:.6f} {post.life} "
                f"{post.response.status} {post.response.said}\n".encode()
            )
        for record in self.arrived:
            sums.update(f"{record.at:.6f} {record.by} {record.id}\n".encode())
        sums.update(f"{self.driver.steps} {self.notes}".encode())
        return sums.hexdigest()


def _census(*roots: object) -> Counter[str]:
    """Count what can be reached from these, by its type; not what belongs to the loop or to the program itself."""
    seen: set[int] = set()
    found: Counter[str] = Counter()
    waiting = list(roots)
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, NOT_COUNTED):
            continue
        seen.add(id(each))
        found[type(each).__name__] += 1
        waiting += gc.get_referents(each)
    return found
