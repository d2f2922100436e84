"""Is the receiver behind a callback URL ready? Checked from outside with GET, so that nothing is published."""

import time
from typing import Final, NamedTuple

import aiohttp
from yarl import URL

from app.checks.finding import Finding

TIMEOUT_SECONDS: Final = 10.0
WRONG: Final = "not-a-token-of-anybody"
REDIRECTS: Final = (301, 302, 303, 307, 308)


class _Answer(NamedTuple):
    status: int
    location: str
    seconds: float


async def probe(url: str) -> list[Finding]:
    """Return what holds and what is wrong with a callback URL, readable and without its token.

    The right token must get a 200, a wrong one a 404.
    """
    origin = "/".join(url.split("/", 3)[:3])
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            right = await _ask(session, url)
            wrong = await _ask(session, f"{url.rpartition('/')[0]}/{WRONG}")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        text = f"nothing answers at {origin} ({type(error).__name__}): is `smsbus serve` running, and reachable there?"
        return [Finding("failed", text)]
    if problems := _problems(right, wrong, origin):
        return [Finding("failed", each) for each in problems]
    return [
        Finding("ok", f"the token is known at {origin}: 200 after {right.seconds * 1000:.0f} ms, without a redirect"),
        Finding("ok", f"a wrong token is refused: {wrong.status} after {wrong.seconds * 1000:.0f} ms"),
    ]


async def _ask(session: aiohttp.ClientSession, url: str) -> _Answer:
    began = time.monotonic()
    async with session.get(url, allow_redirects=False) as response:
        return _Answer(response.status, response.headers.get("Location", ""), time.monotonic() - began)


def _problems(right: _Answer, wrong: _Answer, origin: str) -> list[str]:
    problems = []
    if right.status == 404:
        problems.append(
            f"{origin} does not know the token: after a change of the settings send the service SIGHUP, or restart it"
        )
    elif right.status in REDIRECTS:
        return [f"{origin} answers {right.status}, a redirect {_to(right)}: give PingMe the address it leads to"]
    elif right.status == wrong.status == 401:
        return [f"{origin} wants another token: is it the address of the admin listener instead of the receiver?"]
    elif right.status != 200:
        problems.append(f"{origin} answers {right.status} instead of 200: see its log, and the proxy's")
    if wrong.status != 404:
        problems.append(f"{origin} answers {wrong.status} instead of 404 to a wrong token: is smsbus listening there?")
    return problems


def _to(answer: _Answer) -> str:
    """Return where a redirect leads, without the path: it may have the token."""
    try:
        return f"to {URL(answer.location).origin()}"
    except ValueError:
        return "to another path"
