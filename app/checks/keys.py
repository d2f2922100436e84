"""Does each provider accept its account's key? One request for the balance, which buys and changes nothing."""

import asyncio
from typing import Final

from app.checks.finding import Finding
from app.settings.load import Settings
from app.wiring import client_of, polled_accounts
from providers.http_client import HttpClient
from providers.observation import ProviderError

SECONDS: Final = 5.0  # for each account; all are asked at the same time


async def key_findings(settings: Settings) -> list[Finding]:
    """Return a finding for each polled account, in the order of their names."""
    return await asyncio.gather(*(_asked(settings, name) for name in sorted(polled_accounts(settings))))


async def _asked(settings: Settings, name: str) -> Finding:
    account = settings.accounts[name]
    async with HttpClient(proxy_url=account.proxy_url, connect_seconds=SECONDS, total_seconds=SECONDS) as http:
        answer = await client_of(account, http).balance()
    whose = f"account {name}: {account.provider}"
    if not isinstance(answer, ProviderError):
        return Finding("ok", f"{whose} accepts its key")
    if answer.kind == "auth":
        return Finding("failed", f"{whose} refuses its key ({answer.code}): correct its api_key, or ask the provider")
    return Finding("warning", f"{whose} does not say whether its key is right ({answer.code})")
