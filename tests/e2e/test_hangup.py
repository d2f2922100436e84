"""SIGHUP under load: tokens come and go, the log talks otherwise, and no connection and no SMS notices."""

import asyncio
import json
import os
import re
import signal
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.load import Load
from tests.e2e.program import OF_LOAD, TOKEN, Installation, Replica, eventually
from tests.e2e.topic import events, problems

pytestmark = pytest.mark.timeout(120)

NEW, THIRD = "e2e-new-token-e2e-new-token-0", "e2e-third-token-e2e-third-tok"
SHOP = f'[accounts.shop]\nprovider = "pingme"\ncallback_tokens = ["{TOKEN}"]\n'
BOTH = SHOP.replace(f'["{TOKEN}"]', f'["{NEW}", "{TOKEN}"]')
MANY = 50
OTHER = f'[accounts.other]\nprovider = "pingme"\ncallback_tokens = ["{THIRD}"]\n'
ONE, MORE = pytest.param((), 1, id="one process"), pytest.param(("--workers", "2"), 4, id="workers")
ONE_OR_MORE = pytest.mark.parametrize(("arguments", "processes"), [ONE, MORE])
ONE_OR_LATER_MORE = pytest.mark.parametrize(
    ("arguments", "processes"), [ONE, pytest.param(*MORE.values, id=MORE.id, marks=pytest.mark.long)]
)


class Connections:
    """Keep-alive connections that are counted: what is dropped must be opened again."""

    def __init__(self) -> None:
        self.opened = 0
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._opened)
        self.trace = trace

    async def twelve(self) -> bool:
        return self.opened == 12

    async def _opened(self, *_: object) -> None:
        self.opened += 1


async def _serve(smsbus: Installation, text: str, *arguments: str) -> Replica:
    """Serve accounts of a file: variables of a running process cannot change."""
    (smsbus.directory / "smsbus.toml").write_text(text)
    return await smsbus.serve(*arguments, accounts_in_file=True)


async def _hang_up(replica: Replica, event: str, times: int) -> list[dict[str, Any]]:
    """Send SIGHUP; return the lines of that event once so many more were said."""
    before = len(replica.said(event))
    replica.process.send_signal(signal.SIGHUP)

    async def said() -> bool:
        return len(replica.said(event)) >= before + times

    await eventually(said, 20, f"{event} in {times} lines")
    return replica.said(event)[before:]


async def _degraded(replica: Replica) -> list[str]:
    """Return what is said of more than the load."""
    found: list[str] = json.loads((await replica.get("/readyz"))[1])["degraded"]
    return [reason for reason in found if reason not in OF_LOAD]


async def _status(replica: Replica, token: str) -> int:
    url = replica.url.replace(TOKEN, token)
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status


async def _statuses(replica: Replica, token: str) -> set[int]:
    """Ask on many connections, so that each of several workers is asked."""
    return set(await asyncio.gather(*(_status(replica, token) for _ in range(20))))


@ONE_OR_LATER_MORE
async def test_tokens_come_and_go_under_load_and_no_connection_notices(smsbus, arguments, processes):
    replica, file = await _serve(smsbus, SHOP, *arguments), smsbus.directory / "smsbus.toml"
    assert await _statuses(replica, NEW) == {404}
    connections = Connections()
    async with Load(replica.url, numbers=12, pause=0.005, trace=connections.trace) as load:
        await eventually(connections.twelve, 20, "all connections are open")
        await load.until_answered(MANY)
        file.write_text(BOTH + OTHER)
        added = await _hang_up(replica, "reloaded", processes)
        assert [await _statuses(replica, token) for token in (TOKEN, NEW, THIRD)] == [{200}, {200}, {200}]
        for level in ("error", "info", "error", "info", "info"):  # and often, while callbacks are on their way
            file.write_text(f'[log]\nlevel = "{level}"\n{BOTH}')
            await _hang_up(replica, "reloaded", processes)
        await load.until_answered(len(load.answered()) + MANY)
        assert connections.opened == 12
    async with Load(replica.url.replace(TOKEN, NEW), numbers=4) as other:
        file.write_text(BOTH.replace(f', "{TOKEN}"', ""))
        removed = await _hang_up(replica, "reloaded", processes)
        await other.until_answered(len(other.answered()) + MANY)

    assert [line["changed"] for line in added] == [
        ["accounts.shop.callback_tokens", "accounts.other added"]
    ] * processes
    assert removed[0]["changed"] == ["accounts.shop.callback_tokens"]
    assert [await _statuses(replica, token) for token in (TOKEN, NEW, THIRD)] == [{404}, {200}, {404}]
    assert (load.refused(), other.refused()) == ([], [])
    assert await replica.terminate() == 0
    assert problems([*load.posts, *other.posts], await events(smsbus)) == []


async def test_a_connection_whose_token_was_removed_stays_and_its_next_callback_is_refused(smsbus):
    replica, file = await _serve(smsbus, BOTH), smsbus.directory / "smsbus.toml"
    connections = Connections()
    async with aiohttp.ClientSession(trace_configs=[connections.trace]) as session:

        async def post(url: str) -> int:
            async with session.post(url, data=b'{"text":"hello"}') as answer:
                await answer.read()
                return answer.status

        before = await post(replica.url)
        file.write_text(BOTH.replace(f', "{TOKEN}"', ""))
        await _hang_up(replica, "reloaded", 1)
        after = [await post(replica.url), await post(replica.url.replace(TOKEN, NEW))]

    assert (before, after) == (200, [404, 200])
    assert connections.opened == 1


BAD = {
    "no TOML": (lambda good: f"{good}[", "smsbus.toml: "),
    "a short token": (lambda good: good.replace(NEW, "short"), "fewer than 22 characters"),
    "two accounts share a token": (lambda good: good.replace(THIRD, NEW), "token is given twice"),
    "an invalid value": (lambda good: f'{good}[log]\nlevel = "loud"\n', "log.level"),
    "no account": (lambda _: "", "no account is configured"),
}


@ONE_OR_MORE
async def test_a_bad_file_changes_nothing_and_one_line_says_why(
    smsbus: Installation, arguments: tuple[str, ...], processes: int
):
    replica, file = await _serve(smsbus, SHOP, *arguments), smsbus.directory / "smsbus.toml"
    async with Load(replica.url, numbers=4) as load:
        for name, (bad, why) in BAD.items():
            file.write_text(bad(BOTH + OTHER))
            [line] = await _hang_up(replica, "reload_refused", 1)
            degraded = [await _degraded(replica)]
            assert [await _statuses(replica, token) for token in (TOKEN, NEW, THIRD)] == [{200}, {404}, {404}], name
            file.write_text(SHOP)
            again = await _hang_up(replica, "reloaded", processes)
            degraded.append(await _degraded(replica))

            assert degraded == [["reload_refused"], []], name
            assert why in line["reason"], name
            assert [each["changed"] for each in again] == [[]] * processes, name
        _, metrics = await replica.get("/metrics")

    assert re.search(rf'^smsbus_reloads_total\{{.*result="refused".*\}} {len(BAD)}.0$', metrics, re.MULTILINE)
    assert not any(token in replica.log.read_text() for token in (TOKEN, NEW, THIRD))
    assert (len(replica.said("reload_refused")), load.refused()) == (len(BAD), [])


@ONE_OR_LATER_MORE
async def test_a_token_is_rotated_on_a_live_service_and_the_old_one_goes_when_nobody_needs_it(
    smsbus, arguments, processes
):
    replica, file = await _serve(smsbus, SHOP, *arguments), smsbus.directory / "smsbus.toml"
    new = (await smsbus.run("callback", "rotate", "shop")).out.strip()
    too_early = await smsbus.run("callback", "rotate", "shop", "--retire")
    await _hang_up(replica, "reloaded", processes)
    async with Load(replica.url, numbers=4) as old, Load(replica.url.replace(TOKEN, new), numbers=4) as other:
        await asyncio.sleep(0.5)
    status, said = await replica.get("/v1/callbacks")
    refused = await smsbus.run("callback", "rotate", "shop", "--retire")
    both = file.read_text()
    forced = await smsbus.run("callback", "rotate", "shop", "--retire", "--force")
    await _hang_up(replica, "reloaded", processes)

    first, second = json.loads(said)["accounts"][0]["tokens"]
    assert (status, first["newest"], second["newest"]) == (200, True, False)
    assert all(_recent(token["last_used_at"]) for token in (first, second))
    assert not any(token in said for token in (TOKEN, new))
    assert [each.code for each in (too_early, refused, forced)] == [1, 1, 0]
    assert "does not use the newest token yet: send it SIGHUP" in too_early.err
    assert f"the old token {second['fingerprint']}" in refused.err
    assert "has recorded uses only since" in refused.err
    assert both == file.read_text().replace(f'["{new}"]', f'["{new}", "{TOKEN}"]')
    assert [await _statuses(replica, token) for token in (TOKEN, new)] == [{404}, {200}]
    assert (old.refused(), other.refused()) == ([], [])


async def test_who_shows_no_admin_token_is_told_of_no_callback_token(smsbus):
    replica = await _serve(smsbus, SHOP, "--workers", "2")

    async with aiohttp.ClientSession() as session, session.get(f"{replica.admin}/v1/callbacks") as answer:
        assert answer.status == 401
    unused = json.loads((await replica.get("/v1/callbacks"))[1])["accounts"][0]["tokens"]
    assert [token["last_used_at"] for token in unused] == [None]


def _recent(moment: str) -> bool:
    return abs((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()) < 60


@ONE_OR_MORE
async def test_what_needs_a_restart_is_named_in_one_line_and_the_rest_is_taken_over(smsbus, arguments, processes):
    replica = await _serve(smsbus, SHOP, *arguments)
    (smsbus.directory / "smsbus.toml").write_text(f"[receiver]\nmax_body = 9999\n[bus]\nspill_after = 1.0\n{BOTH}")

    await _hang_up(replica, "reloaded", processes)
    line = await replica.says("reload_needs_restart", 30)

    assert line["settings"] == ["bus.spill_after", "receiver.max_body"]
    assert len(replica.said("reload_needs_restart")) == 1
    assert await _statuses(replica, NEW) == {200}


@ONE_OR_MORE
async def test_who_hangs_up_before_the_start_and_during_the_stop_ends_nothing(smsbus, arguments, processes):
    (smsbus.directory / "smsbus.toml").write_text(SHOP)
    starting = asyncio.create_task(smsbus.serve(*arguments, accounts_in_file=True, RECEIVER__LAME_DUCK="1"))
    await eventually(lambda: _listens(smsbus), 20, "the process hears SIGHUP")
    for _ in range(5):
        smsbus.replicas[-1].process.send_signal(signal.SIGHUP)
    replica = await starting
    await replica.says("reloaded", 10)

    stopping = asyncio.create_task(replica.terminate())
    while not stopping.done():
        if replica.process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(replica.process.pid, signal.SIGHUP)  # `send_signal` would take its exit code from asyncio
        await asyncio.sleep(0.02)

    assert await stopping == 0
    assert replica.said("stopped")


async def _listens(smsbus: Installation) -> bool:
    """Whether the newest process has a handler of its own for SIGHUP."""
    if not smsbus.replicas or smsbus.replicas[-1].process.returncode is not None:
        return False
    status = Path(f"/proc/{smsbus.replicas[-1].process.pid}/status").read_text()
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return bool(caught) and bool(int(caught[1], 16) >> (signal.SIGHUP - 1) & 1)


@ONE_OR_MORE
async def test_half_of_a_file_is_not_taken_and_every_process_takes_the_whole(smsbus, arguments, processes):
    replica, file = await _serve(smsbus, BOTH + OTHER, *arguments), smsbus.directory / "smsbus.toml"
    async with Load(replica.url, numbers=4) as load:
        file.write_text(OTHER)  # as an editor does that truncates, and is not done yet
        said = asyncio.create_task(_hang_up(replica, "reloaded", processes))
        await asyncio.sleep(0.1)
        file.write_text(SHOP + OTHER)
        lines = await said
        file.write_text(OTHER)  # and what comes later is nobody's
        statuses = [await _statuses(replica, token) for token in (TOKEN, NEW, THIRD)]

    assert [line["changed"] for line in lines] == [["accounts.shop.callback_tokens"]] * processes
    assert statuses == [{200}, {404}, {200}]
    assert load.refused() == []
