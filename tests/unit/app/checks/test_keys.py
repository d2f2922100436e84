"""Each polled account's key is tried with a request that buys nothing."""

import pytest

from app.checks import keys
from app.checks.keys import key_findings
from app.settings.load import load
from providers.observation import ProviderError
from providers.results import Balance

POLLED = {
    f"SMSBUS_ACCOUNTS__{name}__{key}": value
    for name in ("WELL", "WRONG", "AWAY")
    for key, value in {"PROVIDER": "grizzlysms", "API_KEY": f"{name.lower()}-hunter2-hunter2"}.items()
}
ANSWERS = {
    "well": Balance("44.60"),
    "wrong": ProviderError("auth", "bad_key", answered=True),
    "away": ProviderError("transient", "timeout"),
}


@pytest.mark.usefixtures("process_is_restored")
async def test_a_key_that_is_refused_fails_and_a_provider_that_is_away_is_a_warning(environment, monkeypatch) -> None:
    environment(
        POLLED | {"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "x" * 22}
    )

    class Client:
        def __init__(self, account, _) -> None:
            self.name = account.api_key.get_secret_value().split("-")[0]

        async def balance(self) -> Balance | ProviderError:
            return ANSWERS[self.name]

    monkeypatch.setattr(keys, "client_of", Client)

    found = await key_findings(load())

    assert [(each.mark, each.text) for each in found] == [
        ("warning", "account away: grizzlysms does not say whether its key is right (timeout)"),
        ("ok", "account well: grizzlysms accepts its key"),
        (
            "failed",
            "account wrong: grizzlysms refuses its key (bad_key): correct its api_key, or ask the provider",
        ),
    ]
