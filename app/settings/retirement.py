"""Can an old callback token be removed? The running service knows when it was last used."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, cast

from app.admin.callbacks import PATH, CallbacksView
from app.admin.token import token_file
from app.service import Answer, NotAccepted, NoToken, NotReached, service_of
from app.settings.load import Settings
from receiver.auth import fingerprint

LEAKED: Final = (
    "something still posts to its URL (PingMe, or someone else). If it leaked, --retire --force removes it at once"
)
UNUSED: Final = timedelta(hours=24)  # a sender that was not given the new URL has posted within a day
TIMEOUT_SECONDS: Final = 10.0
ONLY_IT: Final = ", and only it knows who uses which token"


async def objections(settings: Settings, account: str, now: datetime) -> list[str]:
    """Return why the account's old tokens should stay, readable and without a token; empty: they are not in use."""
    url = settings.admin_url() + PATH
    try:
        answer = await _answer(settings)
    except NoToken:
        return [f"the service cannot be asked: {token_file(settings)} does not exist; is data_dir the service's?"]
    except NotAccepted:
        return [f"the service answers 401 at {url}{ONLY_IT}"]
    except (NotReached, TimeoutError) as error:
        return [f"the service does not answer at {url} ({type(error.__cause__ or error).__name__}){ONLY_IT}"]
    if answer.status != 200:
        return [f"the service answers {answer.status} at {url}{ONLY_IT}"]
    tokens = [fingerprint(token.get_secret_value()) for token in settings.accounts[account].callback_tokens]
    return [*found(cast("CallbacksView", answer.content), account, tokens, now)]


async def _answer(settings: Settings) -> Answer:
    async with asyncio.timeout(TIMEOUT_SECONDS), service_of(settings) as there:
        return await there.get(PATH)


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
