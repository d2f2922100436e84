"""The checks of `smsbus check`: each yields one readable line."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from app.checks.clock import clock_problem
from app.checks.exposure import readable_by_others, unencrypted
from app.checks.finding import Finding
from app.checks.keys import key_findings
from app.checks.topics import NEEDED
from app.lifecycle import missing_accounts
from app.settings.load import Settings, secret_files
from app.settings.sections import Account
from app.wiring import POLLING, RECEIVING, WITHOUT_BUS, Role, polled_accounts
from bus.journal import status
from bus.kafka import acls, brokers, granted, topics
from bus.kafka.client import KafkaAway
from bus.settings import KafkaSettings
from forwarding.address import target_url
from pollers.poller import GROUP

CONNECT_SECONDS: Final = 3.0
GIB: Final = 1024**3
TRIED_BYTES: Final = 1 << 18  # a full disk makes files, and refuses what is in them; of a callback as long as it may be
SHOWN_SHARE: Final = 0.01
NOBODY_KNOWS: Final = "USER"  # the name that brokers make of a certificate


async def look(
    settings: Settings, *, now: datetime, file: Path | None = None, role: Role = "all"
) -> AsyncIterator[Finding]:
    """Yield the findings, in the order in which to fix them. `file`: the settings file, if there is one."""
    reachable = True
    async for finding in _kafka(settings):
        reachable = reachable and finding.mark != "failed"
        yield finding
    if reachable:
        for finding in await look_at_topics(settings, role):
            yield finding
    journal = () if role in WITHOUT_BUS else _journal(settings)
    targets = _targets(settings) if role == "forward" else ()
    keys = await key_findings(settings) if role in POLLING else ()
    others = _open_to_others(settings, file)
    for finding in (*journal, _clock(now), *_accounts(settings, role), *keys, *targets, *others):
        yield finding


async def _kafka(settings: Settings) -> AsyncIterator[Finding]:
    try:
        advertised = await brokers.addresses(settings.kafka)
    except (KafkaAway, OSError) as error:
        yield Finding("failed", str(error))
        return
    yield Finding("ok", f"Kafka answers at {settings.kafka.bootstrap_servers}")
    for host, port in advertised:
        reason = await _unreachable(host, port)
        if reason is None:
            yield Finding("ok", f"a broker's advertised address {host}:{port} can be reached")
        else:
            hint = "it must be reachable from here: see the brokers' advertised.listeners"
            yield Finding("failed", f"a broker's advertised address {host}:{port} {reason}; {hint}")


async def _unreachable(host: str, port: int) -> str | None:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"does not answer within {CONNECT_SECONDS:.0f} s"
    except OSError as error:
        return f"cannot be reached ({error.strerror or type(error).__name__})"
    writer.close()
    return None


async def look_at_topics(settings: Settings, role: Role) -> list[Finding]:
    """Return the findings about the topics that a process with this role needs, and about its rights."""
    try:
        findings = await topics.inspect(settings.kafka, NEEDED[role])
    except KafkaAway as away:
        return [Finding("failed", str(away))]
    lines = [Finding("failed", line) for line in findings.problems]
    lines += [Finding("warning", line) for line in findings.warnings]
    lines += await _look_at_rights(settings, role)
    return lines if findings.problems else [Finding("ok", "all topics are configured correctly"), *lines]


async def _look_at_rights(settings: Settings, role: Role) -> list[Finding]:
    """Return a finding for each right that a process with this role needs and does not have."""
    polls = bool(polled_accounts(settings))
    needed = acls.rights(settings.kafka, role, GROUP, commands=polls, polls=polls)
    try:
        return [_lacks(settings.kafka, right) for right in await granted.missing(settings.kafka, needed)]
    except KafkaAway as away:
        return [Finding("failed", str(away))]


def _lacks(kafka: KafkaSettings, right: granted.Right) -> Finding:
    what = f"this user has no {' and no '.join(right.operations)} on {right.resource} {right.name}".rstrip()
    command = acls.command(kafka, acls.principal(kafka) or NOBODY_KNOWS, right)
    return Finding("failed", f"{what}: an administrator runs `{command}`")


def _journal(settings: Settings) -> Iterator[Finding]:
    directory = settings.bus.journal_dir
    try:
        there = next(path for path in (directory, *directory.parents) if path.exists())  # a start creates the rest
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(bytes(TRIED_BYTES))
            file.flush()
            free = shutil.disk_usage(there).free
    except OSError as error:
        yield Finding(
            "failed", f"the journal cannot be written at {directory} (SMSBUS_BUS__JOURNAL_DIR): {error.strerror}"
        )
        return
    wanted = settings.bus.journal_max_bytes
    room = f"{free / GIB:.1f} GiB free, up to {wanted / GIB:.3g} GiB needed"
    yield Finding("ok" if free >= wanted else "warning", f"the journal can be written at {directory} ({room})")
    if there == directory:
        yield from _waiting(directory, wanted)


def _waiting(directory: Path, limit: int) -> Iterator[Finding]:
    """Yield what waits on disk, and for whom, and how much of its limit in bytes that takes."""
    try:
        found = status.look(directory)
    except status.CannotLook as error:
        yield Finding("failed", str(error))
        return
    yield from (Finding("failed", sentence) for sentence in found.closed)
    for journal in status.status(found.journals):
        if journal.damage:
            yield Finding("warning", f"the journal {journal.directory}: {journal.damage}")
        share = (journal.bytes or 0) / limit
        taken = f" ({share:.0%} of the limit)" if share > SHOWN_SHARE else ""
        waits = f"{journal.rows} accepted messages{taken} wait in the journal {journal.directory}"
        if journal.problem:
            yield Finding("failed", f"the journal {journal.directory}: {journal.problem}")
        elif journal.rows and journal.held:
            yield Finding("warning", f"{waits}, for Kafka or behind one that it refuses: `smsbus journal show`")
        elif journal.rows:
            hint = f"the next start publishes them, or `smsbus journal drain {directory}`"
            yield Finding("warning", f"{waits}, and no process holds it: {hint}")


def _clock(now: datetime) -> Finding:
    if problem := clock_problem(now):
        return Finding("failed", problem)
    return Finding("ok", f"this machine's clock says {now:%Y-%m-%dT%H:%M:%SZ}")


def _accounts(settings: Settings, role: Role = "all") -> Iterator[Finding]:
    if missing := missing_accounts(settings, role):
        yield Finding("failed", missing)
    if role in RECEIVING and settings.pingme_accounts() and settings.receiver.public_url is None:
        yield Finding(
            "warning", "SMSBUS_RECEIVER__PUBLIC_URL is not set: `smsbus callback url` shows this machine's own address"
        )
    for name, account in settings.accounts.items():
        yield _account(name, account)


def _account(name: str, account: Account) -> Finding:
    if account.provider != "pingme":
        return Finding(
            "ok",
            f"account {name}: {account.provider}, polled; `smsbus account methods {name}` lists what its API offers",
        )
    return Finding("ok", f"account {name}: {account.provider}, {len(account.callback_tokens)} callback token(s)")


def _targets(settings: Settings) -> Iterator[Finding]:
    """Yield where each target is; the rest of its URL may be secret."""
    for name, forward in settings.forwards.items():
        url = target_url(forward.url.get_secret_value())
        private = ", which may be private" if forward.allow_private else ""
        yield Finding("ok", f"target {name}: {url.scheme}://{url.host_port_subcomponent}{private}")


def _open_to_others(settings: Settings, file: Path | None) -> Iterator[Finding]:
    """Warn of secrets that others can read: on this machine, or on the network."""
    files = [*filter(None, [file]), *map(Path, secret_files())]
    for text in (*readable_by_others(settings, files), *unencrypted(settings)):
        yield Finding("warning", text)
