"""Can an old callback token be removed? The running service knows when it was last used."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import aiohttp

from app.admin.callbacks import PATH, CallbacksView
from app.admin.token import admin_header, token_file, with_admin_token
from app.settings.load import Settings
from receiver.auth import fingerprint

LEAKED: Final = (
    "something still posts to its URL (PingMe, or someone else). If it leaked, --retire --force removes it at once"
)
UNUSED: Final = timedelta(hours=24)  # a sender that was not given the new URL has posted within a day
TIMEOUT_SECONDS: Final = 10.0


async def objections(settings: Settings, account: str, now: datetime) -> list[str]:
    """Return why the account's old tokens should stay, readable and without a token; empty: they are not in use."""
    if not settings.admin.token and not token_file(settings).exists():
        return [f"the service cannot be asked: {token_file(settings)} does not exist; is data_dir the service's?"]
    url = settings.admin_url() + PATH
    try:
        status, text = await _get(url, admin_header(with_admin_token(settings)))
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return [
            f"the service does not answer at {url} ({type(error).__name__}), and only it knows who uses which token"
        ]
    if status != 200:
        return [f"the service answers {status} at {url}, and only it knows who uses which token"]
    tokens = [fingerprint(token.get_secret_value()) for token in settings.accounts[account].callback_tokens]
    return [*found(json.loads(text), account, tokens, now)]


def found(view: CallbacksView, account: str, tokens: list[str], now: datetime) -> Iterator[str]:
    """Yield reasons not to remove all but the first of these tokens, given by their fingerprints. Pure."""
    known = {
        token["fingerprint"]: token
        for each in view["accounts"]
        if each["account"] == account
        for token in each["tokens"]
    }
    newest, *old = tokens
    if newest not in known or not known[newest]["newest"]:
        yield "the service does not use the newest token yet: send it SIGHUP, and give PingMe the new URL"
    for token in old:
        used = known[token]["last_used_at"] if token in known else None
        if used is not None and now - datetime.fromisoformat(used) < UNUSED:
            yield f"the old token {token}… (its fingerprint) was used at {used}: {LEAKED}"
    if now - (since := datetime.fromisoformat(view["since"])) < UNUSED:
        after = f"{since + UNUSED:%Y-%m-%dT%H:%M:%SZ}"
        yield f"the service has recorded uses only since {view['since']}: try again after {after}"


async def _get(url: str, headers: dict[str, str]) -> tuple[int, str]:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session, session.get(url) as answer:
        return answer.status, await answer.text()
