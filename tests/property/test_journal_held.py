"""What a journal counts for each account, its rows say: after writes, repeats, deletes, failures and restarts."""

import asyncio
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bus.journal.journal import Journal, JournalUnwritable
from bus.record import Record, build
from schemas.identity import event_id
from tests.messages import rejected, sms

ACCOUNTS = ("shop", "other", "third")
COMMANDS = st.lists(
    st.tuples(st.sampled_from(("write", "write", "delete", "fail", "restart")), st.integers(0, 40), st.integers(1, 6)),
    max_size=25,
)


def record(n: int) -> Record:
    account = ACCOUNTS[n % 3]
    text = f'"ce_source","/smsbus/pingme/third" {n}' * (n % 5)
    message = sms("16470000000", n, text=text) if n % 2 else rejected(text.encode() + b"%d" % n)
    own = {"account": account, "id": event_id("pingme", account, None, None, (str(n), text))}
    return build(message.model_copy(update=own), topic_prefix="", instance="t")


@settings(deadline=None, max_examples=60)
@given(commands=COMMANDS)
def test_what_is_held_is_what_the_rows_say(commands: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(carry_out(Path(directory), commands))


async def carry_out(directory: Path, commands: list[tuple[str, int, int]]) -> None:
    journal = await opened(directory)
    for command, n, count in commands:
        if command == "write":
            with suppress(JournalUnwritable):  # at its limit
                await journal.append([record(each) for each in range(n, n + count)])
        elif command == "delete":
            await journal.delete(range(n, n + count))
        elif command == "fail":
            await failed(journal, n)
        else:
            await journal.close()
            journal = await opened(directory)
        assert {source: size for source, size in journal.bytes_by_source.items() if size} == in_rows(journal.path)
        assert sum(journal.bytes_by_source.values()) == journal.bytes
    await journal.close()


async def opened(directory: Path) -> Journal:
    journal = Journal(directory, max_bytes=60_000)
    await journal.open()
    return journal


async def failed(journal: Journal, n: int) -> None:
    """A write and a delete in one commit, which fails."""

    def breaks(connection: sqlite3.Connection) -> None:
        journal._insert(connection, [record(100 + n)])
        journal._delete(connection, [1, 2, 3])
        message = "disk I/O error"
        raise sqlite3.OperationalError(message)

    with suppress(JournalUnwritable):
        await journal._ask(breaks, writes=True)


def in_rows(path: Path) -> Counter[str]:
    """Count the bytes by what each row's own value says."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT json_extract(CAST(value AS TEXT), '$.account'), size FROM rows").fetchall()
    held: Counter[str] = Counter()
    for account, size in rows:
        held[f"/smsbus/pingme/{account}"] += size
    return held
