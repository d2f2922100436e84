"""Is the receiver behind a callback URL ready? Checked from outside with GET, so that nothing is published."""

from typing import Final

import aiohttp

TIMEOUT_SECONDS: Final = 10.0
WRONG: Final = "not-a-token-of-anybody"


async def probe(url: str) -> list[str]:
    """Return what is wrong with a callback URL, readable and without its token; empty: it is ready.

    The right token must get a 200, a wrong one a 404.
    """
    origin = "/".join(url.split("/", 3)[:3])
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            right = await _status(session, url)
            wrong = await _status(session, f"{url.rpartition('/')[0]}/{WRONG}")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return [
            f"nothing answers at {origin} ({type(error).__name__}): is `smsbus serve` running, and reachable there?"
        ]
    return _problems(right, wrong, origin)


async def _status(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url, allow_redirects=False) as response:
        return response.status


def _problems(right: int, wrong: int, origin: str) -> list[str]:
    problems = []
    if right == 404:
        problems.append(
            f"{origin} does not know the token: after a change of the settings send the service SIGHUP, or restart it"
        )
    elif right == wrong == 401:
        return [f"{origin} wants another token: is it the address of the admin listener instead of the receiver?"]
    elif right != 200:
        problems.append(f"{origin} answers {right} instead of 200: see its log, and the proxy's")
    if wrong != 404:
        problems.append(f"{origin} answers {wrong} instead of 404 to a wrong token: is smsbus listening there?")
    return problems
