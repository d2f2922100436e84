"""The journals that this process holds, its own and adopted ones, each with its lanes."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from bus.contract import NotDurable
from bus.health import Alarm
from bus.journal import claim as claims
from bus.journal.journal import Journal, JournalDamaged, JournalUnwritable
from bus.lane import Lane
from bus.record import TopicPartition
from bus.settings import BusSettings

log = structlog.get_logger()


class ClaimedJournal:
    """A journal that this process has claimed, and its lanes: its own, or an orphan while it is drained."""

    def __init__(self, claim: claims.Claim, journal: Journal) -> None:
        self.claim = claim
        self.journal = journal
        self.lanes: dict[TopicPartition, Lane] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing is left to publish."""
        return all(lane.empty for lane in self.lanes.values())

    async def close(self) -> None:
        """Write what is still in memory to the journal, and close it. The directory stays claimed."""
        for lane in self.lanes.values():
            await lane.stop()
        await self.journal.close()


class Journals:
    """Belongs to one event loop: `claim_own`, then `keep` regularly, `close` at the end."""

    def __init__(self, settings: BusSettings, new_lane: Callable[[Journal, TopicPartition], Lane]) -> None:
        self.own: ClaimedJournal | None = None
        self.orphans: list[ClaimedJournal] = []
        """The adopted journals that are not drained yet."""
        self.disk_free_bytes: int | None = None
        """What was free for us on their disk when `keep` last looked; None: it has not yet."""
        self.unclaimed = Alarm("journal_quarantined")
        self.unreadable = Alarm("journal_directory_unreadable")
        self._settings = settings
        self._new_lane = new_lane
        self._adopt_at = 0.0  # the loop's time

    @property
    def claimed(self) -> list[ClaimedJournal]:
        """All journals of this process, its own first."""
        return ([self.own] if self.own else []) + self.orphans

    @property
    def empty(self) -> bool:
        """Whether nothing waits in any lane."""
        return all(each.empty for each in self.claimed)

    @property
    def spilled(self) -> bool:
        """Whether the queue of any lane is on disk."""
        return any(lane.spilled for each in self.claimed for lane in each.lanes.values())

    @property
    def alive(self) -> bool:
        """Whether each lane publishes, each journal's thread runs, and our own journal is not damaged."""
        lanes = all(lane.alive for each in self.claimed for lane in each.lanes.values())
        threads = all(each.journal.alive for each in self.claimed)
        return lanes and threads and not (self.own and self.own.journal.damaged)

    def named(self, name: str) -> ClaimedJournal | None:
        """Return the one whose directory has this name."""
        return next((each for each in self.claimed if each.claim.directory.name == name), None)

    def own_lane(self, key: TopicPartition) -> Lane:
        """Return the lane of this partition on our own journal. Raises `NotDurable` while we have none."""
        if self.own is None:
            message = "the bus has not started"
            raise NotDurable(message)
        return self._lane(self.own, key)

    async def claim_own(self) -> None:
        """Claim and open a journal for this process, and queue what is in it.

        Raises OSError or `JournalUnwritable` when the journal directory cannot be used.
        """
        while self.own is None:
            with suppress(JournalDamaged):  # quarantined by `_open`: take another
                self.own = await self._open(claims.take(self._settings.journal_dir))

    async def keep(self, now: float) -> None:
        """Adopt orphans, as often as the settings say, and release drained ones. `now` is the loop's time."""
        try:
            if now >= self._adopt_at:
                self._adopt_at = now + self._settings.orphan_scan_interval
                await self._adopt()
                await self._look_for_unclaimed()
                if self.own is not None:
                    await self.own.journal.look()
                self.disk_free_bytes = await asyncio.to_thread(_free_bytes, self._settings.journal_dir)
                self.unreadable.end()
            for drained in [orphan for orphan in self.orphans if orphan.empty]:
                self.orphans.remove(drained)
                await self._leave(drained)
        except OSError as error:
            self.unreadable.begin(error=str(error))

    async def close(self) -> None:
        """Write to the journals what is still in memory, and let others claim them."""
        for each in self.claimed:
            await each.close()
            each.claim.release()

    def _lane(self, claimed: ClaimedJournal, key: TopicPartition) -> Lane:
        lane = claimed.lanes.get(key)
        if lane is None:
            lane = claimed.lanes[key] = self._new_lane(claimed.journal, key)
            lane.start()
        return lane

    async def _open(self, claim: claims.Claim) -> ClaimedJournal:
        journal = Journal(claim.directory, max_bytes=self._settings.journal_max_bytes)
        try:
            backlog = await journal.open()
        except JournalDamaged as damaged:
            await journal.close()
            log.error("journal_damaged", reason=damaged.reason, moved_to=str(claim.quarantine()))
            raise
        except BaseException:
            await journal.close()
            claim.release()
            raise
        claimed = ClaimedJournal(claim, journal)
        for key, rows in backlog.items():
            self._lane(claimed, key).adopt(rows)
        return claimed

    async def _adopt(self) -> None:
        for claim in await asyncio.to_thread(claims.orphans, self._settings.journal_dir):
            try:
                orphan = await self._open(claim)
            except JournalDamaged:
                continue
            except Exception as error:  # noqa: BLE001 - a broken orphan must not end the housekeeping
                log.error("orphan_unreadable", directory=str(claim.directory), error=type(error).__name__)
                continue
            self.orphans.append(orphan)
            log.info("orphan_adopted", directory=str(claim.directory), rows=orphan.journal.rows)

    async def _look_for_unclaimed(self) -> None:
        """Raise the alarm while a journal is quarantined or cannot be opened: no process publishes it."""
        if unclaimed := await asyncio.to_thread(claims.unclaimed_in, self._settings.journal_dir):
            hint = "smsbus journal status DIRECTORY says what it is, and what to do"
            self.unclaimed.begin(directories=[str(path) for path in unclaimed], hint=hint)
        else:
            self.unclaimed.end()

    async def _leave(self, orphan: ClaimedJournal) -> None:
        """Remove an orphan's directory if it has no rows left, index or not; otherwise quarantine it."""
        problem = await _unexplained(orphan)
        await orphan.close()
        if problem is not None:
            log.error("journal_damaged", reason=problem, moved_to=str(orphan.claim.quarantine()))
            return
        await asyncio.to_thread(orphan.claim.remove)
        log.info("orphan_drained", directory=str(orphan.claim.directory))


def _free_bytes(directory: Path) -> int:
    return shutil.disk_usage(directory).free


async def _unexplained(orphan: ClaimedJournal) -> str | None:
    """Return why a drained journal must not be deleted; None: it is empty, and everything was published."""
    try:
        rows = await orphan.journal.rows_left() + sum(lane.lost for lane in orphan.lanes.values())
    except JournalUnwritable as unreadable:
        return unreadable.reason
    return f"{rows} rows were not published and cannot be read" if rows else None
