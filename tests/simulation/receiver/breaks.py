"""The receiver and the bus broken on purpose, each time in one place, and the rule that must find it."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from unittest.mock import patch

from bus.deliveries import Deliveries
from bus.health import Alarm, Refusals
from bus.journal.journal import Journal
from bus.journals import Journals
from bus.kafka.producer import Producer
from bus.lane import Lane
from receiver import pingme
from receiver.allowance import Allowance, Bucket
from receiver.intake import Intake
from receiver.request_head import Heads
from tests.simulation.breaks import Break, _found_by, _nothing


def forgets_rows() -> Any:
    """What is read to be sent leaves a row out, now and then; the journal deletes it with the rest."""
    read = Journal.read

    async def forgetful(self: Journal, *where: Any, **named: Any) -> Any:
        rows = await read(self, *where, **named)
        if len(rows) > 2:
            await self.delete([rows[1].seq])
            del rows[1]
        return rows

    return patch.object(Journal, "read", forgetful)


def counts_into_ids() -> Any:
    """An id depends on when the SMS came."""
    content = pingme.identity.pingme_content

    def with_hour(*fields: Any) -> Any:
        return (*content(*fields), str(asyncio.get_running_loop().time() // 3600))

    return patch.object(pingme.identity, "pingme_content", with_hour)


def reads_the_newest_first() -> Any:
    """What lies in the journal is sent in another order."""
    read = Journal.read

    async def reversed_(self: Journal, *where: Any, **named: Any) -> Any:
        return (await read(self, *where, **named))[::-1]

    return patch.object(Journal, "read", reversed_)


def turns_arrays_round() -> Any:
    """The last SMS of an array is accepted first."""

    def backwards(self: Intake, messages: Any) -> Any:
        told = [self.bus.submit(message) for message in messages[::-1]][::-1]
        return asyncio.gather(*told, return_exceptions=True) if len(told) > 1 else told[0]

    return patch.object(Intake, "submit", backwards)


def never_spills() -> Any:
    """What is in memory waits for Kafka, however long."""
    return patch.object(Lane, "_tick", _nothing)


def rests_for_an_hour() -> Any:
    """A batch that failed is tried again much later."""
    return patch("bus.lane.retry_pause", lambda *_: 3600.0)


def adopts_nothing() -> Any:
    """What a dead process has left stays where it is until one starts."""

    async def nothing(_: Journals) -> None:
        """Leave it."""

    return patch.object(Journals, "_adopt", nothing)


def publishes_twice() -> Any:
    """Every batch is sent again."""
    publish = Producer.publish

    async def twice(self: Producer, *batch: Any) -> None:
        await publish(self, *batch)
        await publish(self, *batch)

    return patch.object(Producer, "publish", twice)


def forgets_ids() -> Any:
    """A tenth of the ids is remembered that should be."""
    init = Deliveries.__init__

    def few(self: Deliveries, *, remember: int) -> None:
        init(self, remember=remember // 10)

    return patch.object(Deliveries, "__init__", few)


def keeps_old_heads() -> Any:
    """The fast lane does not hear of tokens that were removed."""
    return patch.object(Heads, "take_tokens", _nothing)


def retires_at_once() -> Any:
    """Whether an old token is in use is not asked."""
    return patch("app.settings.retirement.found", lambda *_: iter(()))


def leaves_texts() -> Any:
    """What was published can still be read on the disk."""
    return patch("bus.journal.journal._quietly", _nothing)


def remembers_everybody() -> Any:
    """A use is noted for each callback, and not for each token."""
    comes_from = Intake.comes_from

    def noted(self: Intake, caller: Any) -> int:
        at = comes_from(self, caller)
        self.last_used[f"{caller.token} {len(self.last_used)}"] = at
        return at

    return patch.object(Intake, "comes_from", noted)


def lets_a_lane_end() -> Any:
    """A lane's task ends after half an hour."""
    settle = Lane._settle

    async def failing(self: Lane, *batch: Any) -> None:
        if self._loop.time() > 2800:
            raise ZeroDivisionError
        await settle(self, *batch)

    return patch.object(Lane, "_settle", failing)


def refuses_early() -> Any:
    """An account is over its share as soon as the journal holds something of it."""
    return patch.object(Journal, "over_share", lambda self, source: self.bytes_by_source.get(source, 0) > 0)


def shares_nothing() -> Any:
    """One account may fill the journal."""
    return patch.object(Journal, "over_share", lambda *_: False)


def never_refills() -> Any:
    """What an account has used up stays so."""
    return patch.object(Bucket, "_fill", _nothing)


def charges_nothing() -> Any:
    """Dead letters and large callbacks cost nothing."""
    return patch.multiple(Allowance, pay=_nothing_of, pay_letter=_nothing_of)


def hides_limits() -> Any:
    """An account that is limited is called so by nobody."""
    return patch.object(Allowance, "is_limited", lambda _: False)


def never_calms_down() -> Any:
    """A share that was exceeded once is said to be so for ever."""
    return patch.object(Refusals, "update", _nothing_of)


def says_it_again() -> Any:
    """A trouble is said each time somebody looks."""
    begin = Alarm.begin

    def loud(self: Alarm, **facts: Any) -> None:
        self.holds = False
        begin(self, **facts)

    return patch.object(Alarm, "begin", loud)


def _nothing_of(*_: Any, **__: Any) -> None:
    """Stand in for what is left out."""


BREAKS: Final[Mapping[str, Break]] = {
    "forgets_rows": Break(forgets_rows, _found_by("kept"), "receiver_kafka", 1.0),
    "counts_into_ids": Break(counts_into_ids, _found_by("ids"), "receiver_repeats", 1.5),
    "reads_the_newest_first": Break(reads_the_newest_first, _found_by("order"), "receiver_full", 1.0),
    "turns_arrays_round": Break(turns_arrays_round, _found_by("order"), "receiver_quiet", 0.2),
    "never_spills": Break(never_spills, _found_by("wait"), "receiver_kafka", 1.0),
    "adopts_nothing": Break(adopts_nothing, _found_by("delivered"), "receiver_orphans", 1.0),
    "rests_for_an_hour": Break(rests_for_an_hour, _found_by("delivered"), "receiver_brokers", 0.5),
    "publishes_twice": Break(publishes_twice, _found_by("once"), "receiver_quiet", 0.2),
    "forgets_ids": Break(forgets_ids, _found_by("repeats"), "receiver_repeats", 0.5),
    "keeps_old_heads": Break(keeps_old_heads, _found_by("tokens"), "receiver_tokens", 1.2),
    "retires_at_once": Break(retires_at_once, _found_by("tokens"), "receiver_tokens", 1.0),
    "leaves_texts": Break(leaves_texts, _found_by("cleaned"), "receiver_kafka", 1.0),
    "remembers_everybody": Break(remembers_everybody, _found_by("leaks"), "receiver_repeats", 1.5),
    "lets_a_lane_end": Break(lets_a_lane_end, _found_by("alive"), "receiver_quiet", 0.6),
    "refuses_early": Break(refuses_early, _found_by("room"), "receiver_full", 0.5),
    "shares_nothing": Break(shares_nothing, _found_by("share"), "receiver_share", 1.0),
    "never_refills": Break(never_refills, _found_by("limited"), "receiver_leaked", 0.7),
    "charges_nothing": Break(charges_nothing, _found_by("allowance"), "receiver_leaked", 0.3),
    "hides_limits": Break(hides_limits, _found_by("words"), "receiver_leaked", 0.3),
    "never_calms_down": Break(never_calms_down, _found_by("words"), "receiver_share", 1.0),
    "says_it_again": Break(says_it_again, _found_by("said"), "receiver_leaked", 0.3),
}
