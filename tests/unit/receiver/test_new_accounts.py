"""Other accounts for a running receiver: all of the new ones or none, and nothing of the old ones is remembered."""

from collections.abc import Sequence

import pytest
import structlog
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bus.memory import MemoryBus
from receiver.allowance import OVER
from receiver.auth import Caller, RawRequest, fingerprint
from receiver.intake import Intake
from receiver.metrics import ReceiverMetrics
from receiver.server import CallbackServer, TokenUse
from receiver.settings import PingMeAccount, ReceiverSettings

OLD, NEW, OTHER = "old-token-0123456789", "new-token-0123456789", "other-token-0123456789"
NOW_MS = 1_700_000_000_000
DAY = 86_400
SMS = b'{"app":"jd","from":"14160000000","to":"16470000000","userId":"u","text":"hello 5611"}'


class Clocks:
    """What time it is, and how much has passed; anybody may set the first."""

    def __init__(self) -> None:
        self.wall_ms = NOW_MS
        self.monotonic = 7.0

    def pass_by(self, seconds: int) -> None:
        self.wall_ms += seconds * 1000
        self.monotonic += seconds


def account(name: str, *tokens: str, user_id: str | None = None) -> PingMeAccount:
    return PingMeAccount(name=name, tokens=tuple(map(SecretStr, tokens)), user_id=user_id)


def receiver(*accounts: PingMeAccount, clocks: Clocks | None = None) -> CallbackServer:
    metrics, clocks = ReceiverMetrics(CollectorRegistry()), clocks or Clocks()
    return CallbackServer(
        MemoryBus(),
        accounts,
        ReceiverSettings(),
        clock_ms=lambda: clocks.wall_ms,
        metrics=metrics,
        monotonic=lambda: clocks.monotonic,
    )


def head(token: str) -> bytes:
    return f"POST /v1/pingme/{token} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n".encode()


def opens(some: CallbackServer, token: str) -> Caller | None:
    """Whose token it is, by both lanes, which agree."""
    slow = some._tokens.verify(RawRequest(token, ""))
    fast = some._heads.known(head(token))
    assert fast is not None
    assert (fast.caller if fast.caller.account else None) == slow
    return slow


def test_tokens_that_were_added_open_and_tokens_that_were_removed_do_not_though_their_heads_were_known() -> None:
    some = receiver(account("shop", OLD))
    assert opens(some, OLD) == Caller("shop", None)

    some.take_accounts([account("shop", NEW, user_id="u"), account("other", OTHER)])

    assert (opens(some, OLD), opens(some, NEW)) == (None, Caller("shop", "u"))
    assert opens(some, OTHER) == Caller("other", None)


@pytest.mark.parametrize("late", [[account("shop", NEW, OTHER)], [account("shop", OLD, NEW), account("third", NEW)]])
def test_accounts_that_share_a_token_change_nothing_at_all(late: Sequence[PingMeAccount]) -> None:
    some = receiver(account("shop", OLD), account("gone", "gone-token-0123456789"))
    before = [*some.token_uses()]

    with pytest.raises(ValueError, match="of another account"):
        some.take_accounts(
            [account("first", "first-token-0123456789"), account("other", OTHER), *late, account("x", NEW)]
        )

    assert [*some.token_uses()] == before
    assert opens(some, OLD) == Caller("shop", None)
    assert opens(some, OTHER) is opens(some, NEW) is opens(some, "first-token-0123456789") is None
    assert {*some.intake._counted} == {"", "shop", "gone"}


def test_a_new_account_is_counted_and_one_that_left_goes_on_being_counted() -> None:
    some = receiver(account("shop", OLD))
    some.intake.count("shop", "accepted")

    some.take_accounts([account("other", OTHER)])
    some.intake.count("shop", "accepted")
    some.intake.count("other", "accepted")

    assert [some.intake._counted[name]["accepted"] for name in ("shop", "other")] == [2, 1]


def test_each_token_says_when_it_was_last_used_by_a_name_that_opens_nothing_and_after_a_change_as_well() -> None:
    some = receiver(account("shop", OLD))
    caller = opens(some, OLD)
    assert caller is not None

    some.intake.callbacks(some.intake.allowances["shop"], caller, "application/json", SMS)
    some.take_accounts([account("shop", NEW, OLD), account("other", OTHER)])

    assert [*some.token_uses()] == [
        TokenUse("shop", fingerprint(NEW), newest=True, last_used_ms=None),
        TokenUse("shop", fingerprint(OLD), newest=False, last_used_ms=NOW_MS),
        TokenUse("other", fingerprint(OTHER), newest=True, last_used_ms=None),
    ]
    assert len({fingerprint(token) for token in (OLD, NEW, OTHER)}) == 3
    assert opens(some, fingerprint(OLD)) is None


def test_whose_body_was_never_read_used_its_token_all_the_same() -> None:
    metrics = ReceiverMetrics(CollectorRegistry())
    intake = Intake(
        MemoryBus(), [account("shop", OLD)], clock_ms=lambda: NOW_MS, metrics=metrics, monotonic=lambda: 7.0
    )

    intake.comes_from(Caller("shop", None, "f"))

    assert intake.last_used == {"f": 7.0}
    assert intake.last_used_ms("f") == NOW_MS


@pytest.mark.parametrize("step", [2 * DAY, -2 * DAY])
def test_a_clock_that_is_set_makes_no_use_older_or_younger(step: int) -> None:
    clocks = Clocks()
    some = receiver(account("shop", NEW, OLD), clocks=clocks)
    clocks.pass_by(DAY)
    some.intake.comes_from(Caller("shop", None, fingerprint(OLD)))
    clocks.pass_by(60)

    clocks.wall_ms += step * 1000

    [_, old] = some.token_uses()
    assert old.last_used_ms == clocks.wall_ms - 60_000
    assert some.uses_since_ms() == clocks.wall_ms - (DAY + 60) * 1000


def test_the_end_of_a_limit_is_said_where_its_account_is_removed() -> None:
    some = receiver(account("gone", OLD), account("stays", NEW))
    with structlog.testing.capture_logs() as lines:
        for name in ("gone", "stays"):
            some.intake.allowances[name].refused(OVER)
        some.take_accounts([account("stays", NEW)])

    assert [(line["event"], line["account"]) for line in lines] == [
        ("account_limited", "gone"),
        ("account_limited", "stays"),
        ("account_limited_no_more", "gone"),
    ]
    assert some.degraded() == ("account_limited:stays",)
