"""After how long a quiet account is worth an alert: as the settings say that were taken last."""

from prometheus_client import CollectorRegistry

from app.quiet_accounts import QuietAccounts
from app.settings.load import Settings
from app.settings.sections import Account
from tests.unit.app.test_wiring import ACCOUNTS

NAME = "smsbus_account_quiet_after_seconds"


def changed(**more: float | None) -> dict[str, Account]:
    return {name: account.model_copy(update={"quiet_after": more.get(name)}) for name, account in ACCOUNTS.items()}


def test_only_accounts_that_set_it_are_exported_and_a_reload_counts() -> None:
    registry, present = CollectorRegistry(), [Settings(accounts=changed(shop=3600.0))]
    QuietAccounts(lambda: present[0], "all", registry)

    def exported() -> list[float | None]:
        return [registry.get_sample_value(NAME, {"account": name}) for name in ("shop", "market")]

    assert exported() == [3600, None]

    present[0] = Settings(accounts=changed(market=60.0))

    assert exported() == [None, 60]


def test_a_role_exports_only_the_accounts_that_it_serves() -> None:
    registry, settings = CollectorRegistry(), Settings(accounts=changed(shop=3600.0, market=60.0))
    QuietAccounts(lambda: settings, "receiver", registry)

    assert registry.get_sample_value(NAME, {"account": "market"}) is None
    assert registry.get_sample_value(NAME, {"account": "shop"}) == 3600
