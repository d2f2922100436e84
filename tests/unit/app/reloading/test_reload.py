"""SIGHUP: what differs, what can be taken over, what is refused whole, and what is said of it."""

import asyncio
import io
import json
import os
import re
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog
from prometheus_client import CollectorRegistry

from app import wiring
from app.errors import StartupError
from app.reloading import reload as module
from app.reloading.hangup import HangUp
from app.reloading.reload import Reload, ReloadMetrics, Serving, differences, without_restart
from app.settings.file_reading import Files
from app.settings.load import Settings, load, reader
from app.settings.names import SettingsError
from receiver.auth import Tokens
from receiver.settings import PingMeAccount

OLD, NEW, OTHER = "old-token-old-token-0123", "new-token-new-token-0123", "other-token-other-token-0"
KEY, NEW_KEY = "an-old-api-key", "a-new-api-key"
SHOP = f'[accounts.shop]\nprovider = "pingme"\ncallback_tokens = "{OLD}"\n'
GRIZZLY = f'[accounts.grizzly]\nprovider = "grizzlysms"\napi_key = "{KEY}"\n'


@pytest.fixture
def file(environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    environment({})
    monkeypatch.chdir(tmp_path)
    return tmp_path / "smsbus.toml"


def read(file: Path, text: str) -> Settings:
    file.write_text(text)
    return load(file)


# ---- what differs, and what of it can be taken over ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "changed", "restart"),
    [
        (SHOP, SHOP, [], []),
        (SHOP, SHOP.replace(OLD, f"{NEW},{OLD}"), ["accounts.shop.callback_tokens"], []),
        (SHOP, SHOP + 'user_id = "u"\n', ["accounts.shop.user_id"], []),
        (SHOP, SHOP + SHOP.replace("shop", "b").replace(OLD, OTHER), ["accounts.b added"], []),
        (SHOP + GRIZZLY, GRIZZLY, ["accounts.shop removed"], []),
        (GRIZZLY, GRIZZLY.replace(KEY, NEW_KEY), ["accounts.grizzly.api_key"], []),
        (
            GRIZZLY,
            GRIZZLY + "max_requests_per_second = 7\n",
            ["accounts.grizzly.max_requests_per_second"],
            [],
        ),
        (GRIZZLY, GRIZZLY + "quiet_after = 3600\n", ["accounts.grizzly.quiet_after"], []),
        (GRIZZLY, "[pollers]\nrequests_per_second = 7\n" + GRIZZLY, ["pollers.requests_per_second"], []),
        (SHOP, '[log]\nlevel = "error"\nformat = "json"\n' + SHOP, ["log.level"], ["log.format"]),
        (SHOP, SHOP + GRIZZLY, [], ["accounts.grizzly added"]),
        (SHOP + GRIZZLY, SHOP, [], ["accounts.grizzly removed"]),
        (GRIZZLY, GRIZZLY + 'zone = "Europe/Moscow"\n', [], ["accounts.grizzly.zone"]),
        (GRIZZLY, GRIZZLY.replace("grizzlysms", "smsman"), [], ["accounts.grizzly.provider"]),
        (
            GRIZZLY + SHOP,
            f'[accounts.grizzly]\nprovider = "pingme"\ncallback_tokens = "{OTHER}"\n' + SHOP,
            [],
            ["accounts.grizzly.provider", "accounts.grizzly.callback_tokens", "accounts.grizzly.api_key"],
        ),
        (
            SHOP,
            "[receiver]\nport = 9\n[kafka]\ntopic_prefix = 'x'\n[bus]\nspill_after = 1.0\n[admin]\nport = 10\n" + SHOP,
            [],
            ["kafka.topic_prefix", "bus.spill_after", "receiver.port", "admin.port"],
        ),
    ],
)
def test_what_can_be_taken_over_is_and_all_else_needs_a_restart_by_name(file, old, new, changed, restart):
    running, fresh = read(file, old), read(file, new)

    after = without_restart(running, fresh, polls=True)

    assert differences(running, after) == changed
    assert differences(after, fresh) == restart


def test_who_polls_nobody_needs_no_restart_for_accounts_that_are_polled(file):
    running, fresh = read(file, SHOP), read(file, SHOP + GRIZZLY)

    after = without_restart(running, fresh, polls=False)

    assert differences(after, fresh) == []


def test_only_who_forwards_needs_a_restart_for_a_target(file):
    running = read(file, SHOP)
    fresh = read(file, SHOP + f'[forwards.orders]\nurl = "https://example.com"\nsecret = "whsec_{"a" * 32}"\n')

    needing = [differences(without_restart(running, fresh, polls=True, forwards=each), fresh) for each in (True, False)]

    assert "forwards.orders.url" in needing[0]
    assert needing[1] == []


# ---- reloading -------------------------------------------------------------------------------------------------------


async def at_once(_: float) -> None:
    """Wait for no writer."""


class Bench:
    """A process that takes settings over, as far as a reload can see."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.taken: list[Settings] = []
        self.hangup = HangUp()
        self.lines = io.StringIO()
        self.reload = Reload(load(file), reader(file, at_once), self.hangup)

    def take(self, settings: Settings, _: Files) -> None:
        Tokens(settings.pingme_accounts())
        self.taken.append(settings)

    def refuse(self, settings: Settings) -> None:
        if not settings.accounts:
            raise StartupError(["no account is configured"])

    async def once(self, text: str | None, *, names_restart: bool = True) -> list[dict[str, object]]:
        """Reload this file, or none; return what was said."""
        self.lines.truncate(0)
        self.lines.seek(0)
        self.file.unlink() if text is None else self.file.write_text(text)
        await self.reload.once(Serving(self.take, self.refuse, polls=True, names_restart=names_restart))
        return [
            {key: value for key, value in json.loads(line).items() if key not in {"timestamp", "level"}}
            for line in self.lines.getvalue().splitlines()
        ]


@pytest.fixture
def bench(file, monkeypatch, process_is_restored):
    file.write_text(SHOP + GRIZZLY)
    some = Bench(file)
    monkeypatch.setattr(module, "sys", SimpleNamespace(stderr=some.lines))
    module.logs.configure(load(file).log, [], some.lines)
    return some


async def test_what_changed_is_one_line_of_names(bench):
    said = await bench.once((SHOP + GRIZZLY).replace(OLD, NEW).replace(KEY, NEW_KEY))

    assert said == [{"event": "reloaded", "changed": ["accounts.grizzly.api_key", "accounts.shop.callback_tokens"]}]
    [settings] = bench.taken
    assert settings.secrets() == [NEW, NEW_KEY]


async def test_an_account_that_is_gone_is_a_warning(bench):
    said = await bench.once(GRIZZLY)

    assert said == [{"event": "reloaded", "changed": ["accounts.shop removed"]}]
    assert json.loads(bench.lines.getvalue())["level"] == "warning"


async def test_what_needs_a_restart_is_one_line_more_each_time_and_is_not_taken_over(bench):
    text = "[receiver]\nport = 9\n" + SHOP + GRIZZLY
    said = [await bench.once(text), await bench.once(text), await bench.once(text, names_restart=False)]

    line = {"event": "reload_needs_restart", "settings": ["receiver.port"]}
    assert said == [
        [{"event": "reloaded", "changed": []}, line],
        [{"event": "reloaded", "changed": []}, line],
        [{"event": "reloaded", "changed": []}],
    ]
    assert {settings.receiver.port for settings in bench.taken} == {8080}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[accounts.shop\n", "smsbus.toml: "),
        (SHOP.replace(OLD, "short"), "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS .* fewer than 22 characters"),
        (SHOP + SHOP.replace("shop", "b"), "a callback token is given twice"),
        ('[log]\nlevel = "loud"\n' + SHOP, "log.level in .*smsbus.toml"),
        (SHOP + "api_kye = 'x'\n", "accounts.shop.api_kye .* is not a setting: did you mean accounts.shop.api_key"),
        ("", "no account is configured"),
        (None, "smsbus.toml is not there any longer"),
    ],
)
async def test_a_bad_file_changes_nothing_and_one_line_says_why(bench, text, reason):
    more = text and text.replace('"pingme"', f'"pingme"\napp_key = "{NEW}"')
    [line] = await bench.once(more)

    assert bench.taken == []
    assert line.pop("event") == "reload_refused"
    assert line.pop("hint") == "nothing has changed"
    assert re.search(reason, line["reason"])
    assert not any(secret in str(line) for secret in (OLD, NEW, KEY, "short"))


async def test_accounts_that_would_share_a_token_only_as_they_run_change_nothing(bench):
    """`shop` is to be polled from the next start on and keeps its token until then; `b` cannot have it yet."""
    text = f'[log]\nlevel = "error"\n{GRIZZLY.replace("grizzly]", "shop]")}{SHOP.replace("shop", "b")}{GRIZZLY}'
    [line] = await bench.once(text)

    assert (line["event"], bench.taken) == ("reload_refused", [])
    assert line["reason"] == "account 'b' has a callback token of another account: give each its own"
    assert (await bench.once(SHOP + GRIZZLY)) == [{"event": "reloaded", "changed": []}]


async def test_a_refused_file_is_compared_with_what_runs_still(bench):
    await bench.once("[accounts.shop\n")
    said = await bench.once((SHOP + GRIZZLY).replace(OLD, NEW))

    assert said == [{"event": "reloaded", "changed": ["accounts.shop.callback_tokens"]}]


async def test_a_refusal_is_seen_until_a_reload_is_taken_and_both_are_counted(bench):
    registry = CollectorRegistry()
    ReloadMetrics(bench.reload, registry)

    def counted() -> list[float | None]:
        return [registry.get_sample_value("smsbus_reloads_total", {"result": each}) for each in ("taken", "refused")]

    seen = [(bench.reload.degraded(), counted())]
    for text in ("[accounts.shop\n", "", SHOP + GRIZZLY, SHOP):
        await bench.once(text)
        seen.append((bench.reload.degraded(), counted()))

    refused = ("reload_refused",)
    assert seen == [((), [0, 0]), (refused, [0, 1]), (refused, [0, 2]), ((), [1, 2]), ((), [2, 2])]


async def test_a_failure_of_ours_is_refused_as_well_without_its_words(bench):
    def fails(*_: object) -> None:
        raise KeyError(OLD)

    bench.take = fails
    [line] = await bench.once(SHOP + GRIZZLY)

    assert (line["event"], line["reason"]) == ("reload_refused", "KeyError")


@pytest.mark.parametrize(("before", "after"), [("info", "error"), ("error", "info"), ("debug", "info")])
async def test_a_new_level_is_said_at_the_more_talkative_of_both_and_holds(bench, before, after):
    await bench.once(f'[log]\nlevel = "{before}"\n' + SHOP + GRIZZLY)
    said = await bench.once(f'[log]\nlevel = "{after}"\n' + SHOP + GRIZZLY)

    assert said == [{"event": "reloaded", "changed": ["log.level"]}]
    structlog.get_logger().info("talk")
    assert ('"talk"' in bench.lines.getvalue()) == (after == "info")


async def test_a_new_secret_is_kept_out_of_the_log_and_so_is_the_old_one(bench):
    await bench.once((SHOP + GRIZZLY).replace(KEY, NEW_KEY))

    structlog.get_logger().info("talk", word=f"{KEY} {NEW_KEY}")

    assert KEY not in bench.lines.getvalue()
    assert NEW_KEY not in bench.lines.getvalue()


# ---- the parts of a process ------------------------------------------------------------------------------------------


class Parts:
    """A receiver and pollers, as far as settings are taken over."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.taken: list[str] = []

    def take_accounts(self, accounts: Sequence[PingMeAccount]) -> None:
        if self.refuses:
            raise ValueError
        self.taken += [account.name for account in accounts]

    def prepared(self, settings: Settings) -> Callable[[], None]:
        return lambda: self.taken.append("keys")


def test_all_parts_take_settings_over_and_none_when_the_receiver_refuses_them(file):
    settings = read(file, SHOP + GRIZZLY)
    takes, refuses = Parts(), Parts(refuses=True)

    wiring.take_over(settings, takes, takes)
    wiring.take_over(settings, None, None)
    with pytest.raises(ValueError, match=r"^$"):
        wiring.take_over(settings, refuses, refuses)

    assert (takes.taken, refuses.taken) == (["shop", "keys"], [])


async def test_a_new_key_and_budget_are_for_the_account_s_next_request_and_its_connections_stay(file, monkeypatch):
    monkeypatch.setattr(wiring, "WatchTable", lambda _: None)
    monkeypatch.setattr(wiring, "PollerMetrics", lambda *_: None)
    old = read(file, GRIZZLY + GRIZZLY.replace("grizzly]", "other]"))
    async with AsyncExitStack() as stack:
        polling = wiring.polling(old, None, CollectorRegistry(), None, stack)
        accounts = polling.poller.accounts
        before = {name: account.client for name, account in accounts.items()}

        new = GRIZZLY.replace(KEY, NEW_KEY) + "max_requests_per_second = 7\n" + GRIZZLY.replace("grizzly]", "other]")
        wiring.take_over(read(file, new), None, polling)

    accounts["grizzly"].throttle.share(1.0)
    assert accounts["grizzly"].throttle.rate == 7
    assert [accounts[name].client is before[name] for name in ("grizzly", "other")] == [False, True]
    assert accounts["grizzly"].client._api._fetcher is before["grizzly"]._api._fetcher
    assert NEW_KEY in accounts["grizzly"].client._api._key.get_secret_value()


# ---- who asks --------------------------------------------------------------------------------------------------------


async def test_a_secret_file_is_read_again_and_one_that_is_gone_is_named(file, environment, tmp_path):
    secret = tmp_path / "token"
    secret.write_text(OLD)
    environment(
        {"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS_FILE": str(secret)}
    )
    again = reader(pause=at_once)

    secret.write_text(f"{NEW},{OLD}\n")

    assert (await again())[0].secrets() == [NEW, OLD]
    secret.unlink()
    with pytest.raises(SettingsError, match=r"CALLBACK_TOKENS_FILE names .*/token, which cannot be read"):
        await again()


@pytest.fixture
def heard():
    """A HangUp that hears real signals."""
    before = signal.getsignal(signal.SIGHUP)
    with HangUp() as hangup:
        yield hangup
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    signal.signal(signal.SIGHUP, before)


async def test_a_signal_before_anybody_waits_is_remembered_and_many_while_it_is_done_are_one(heard):
    os.kill(os.getpid(), signal.SIGHUP)
    async with asyncio.timeout(5):
        await heard.wait()
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGHUP)
        await heard.wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await heard.wait()


def test_a_signal_behind_the_end_of_the_loop_ends_nothing(heard):
    async def once() -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        await heard.wait()

    asyncio.run(once())

    os.kill(os.getpid(), signal.SIGHUP)


async def test_each_signal_is_followed_until_the_context_ends(bench):
    async def until(count: int) -> None:
        async with asyncio.timeout(5):
            while len(bench.taken) < count:
                await asyncio.sleep(0)

    async with bench.reload.follow(Serving(bench.take, bench.refuse, polls=True)):
        for count in (1, 2):
            bench.hangup.ask()
            await until(count)
    bench.hangup.ask()

    assert len(bench.taken) == 2
