"""The inbox of one number, for tests: synchronous and asynchronous."""

import asyncio
import os
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from smsbus_testing.waiting import A_WAIT, Answer, Ask, Sms, SmsbusError, Steps, Waiting

__all__ = ["AsyncSmsInbox", "SmsInbox", "SmsbusError"]

T = TypeVar("T")
TIMEOUT = httpx.Timeout(A_WAIT + 10, connect=10)


def _options(url: str | None, token: str | None) -> dict[str, Any]:
    url, token = url or os.environ.get("SMSBUS_URL"), token or os.environ.get("SMSBUS_TOKEN")
    if not url or not token:
        message = "where is the smsbus service? Set SMSBUS_URL and SMSBUS_TOKEN"
        raise SmsbusError(message)
    return {"base_url": url, "headers": {"Authorization": f"Bearer {token}"}, "timeout": TIMEOUT, "trust_env": False}


def _content(response: httpx.Response) -> Mapping[str, Any]:
    try:
        content = response.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


class SmsInbox:
    """What one number receives from now on. The service is SMSBUS_URL with SMSBUS_TOKEN unless given.

    Its cursor is taken when it is made, and moves past what was returned: nothing old is ever returned.
    """

    def __init__(self, number: str, *, url: str | None = None, token: str | None = None, reveal: bool = False) -> None:
        """`number`: only its digits count. `reveal`: failures show texts and the number. Raises `SmsbusError`."""
        self.number = number
        self._waiting = Waiting(number, reveal=reveal)
        self._client = httpx.Client(**_options(url, token))
        self._run(self._waiting.begin())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def wait_for_sms(self, timeout: float = 30, *, match: str | None = None) -> Sms:
        """Return the next SMS, whose text matches the regular expression if one is given. Raises `NoSms`."""
        return self._run(self._waiting.sms(timeout, match))

    def wait_for_count(self, count: int, timeout: float = 30) -> list[Sms]:
        """Return the next SMS, so many. Raises `NoSms`."""
        return self._run(self._waiting.count(count, timeout))

    def code(self, timeout: float = 30, *, match: str | None = None) -> str:
        """Return the code of the next SMS that has one. Raises `NoSms`."""
        return self._run(self._waiting.sms(timeout, match, with_code=True)).code or ""

    def assert_no_sms(self, within: float = 3) -> None:
        """Return if no SMS comes within so many seconds. Raises AssertionError."""
        self._run(self._waiting.none(within))

    def forget(self) -> None:
        """Pass by all that came until now."""
        self._run(self._waiting.begin())

    def _run(self, steps: Steps[T]) -> T:
        try:
            ask = next(steps)
            while True:
                ask = steps.send(self._answer(ask))
        except StopIteration as end:
            result: T = end.value
            return result

    def _answer(self, ask: Ask) -> Answer:
        time.sleep(ask.pause)
        try:
            response = self._client.get(ask.path, params=dict(ask.parameters))
        except httpx.TransportError as error:
            return Answer(0, {"detail": f"the service at {self._client.base_url} does not respond: {error}"})
        return Answer(response.status_code, _content(response))


class AsyncSmsInbox:
    """As `SmsInbox`. Use as an asynchronous context: its cursor is taken when it is entered."""

    def __init__(self, number: str, *, url: str | None = None, token: str | None = None, reveal: bool = False) -> None:
        self.number = number
        self._waiting = Waiting(number, reveal=reveal)
        self._client = httpx.AsyncClient(**_options(url, token))

    async def __aenter__(self) -> Self:
        await self._run(self._waiting.begin())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def wait_for_sms(self, timeout: float = 30, *, match: str | None = None) -> Sms:  # noqa: ASYNC109
        """Return the next SMS, whose text matches the regular expression if one is given. Raises `NoSms`."""
        return await self._run(self._waiting.sms(timeout, match))

    async def wait_for_count(self, count: int, timeout: float = 30) -> list[Sms]:  # noqa: ASYNC109
        """Return the next SMS, so many. Raises `NoSms`."""
        return await self._run(self._waiting.count(count, timeout))

    async def code(self, timeout: float = 30, *, match: str | None = None) -> str:  # noqa: ASYNC109
        """Return the code of the next SMS that has one. Raises `NoSms`."""
        return (await self._run(self._waiting.sms(timeout, match, with_code=True))).code or ""

    async def assert_no_sms(self, within: float = 3) -> None:
        """Return if no SMS comes within so many seconds. Raises AssertionError."""
        await self._run(self._waiting.none(within))

    async def forget(self) -> None:
        """Pass by all that came until now."""
        await self._run(self._waiting.begin())

    async def _run(self, steps: Steps[T]) -> T:
        try:
            ask = next(steps)
            while True:
                ask = steps.send(await self._answer(ask))
        except StopIteration as end:
            result: T = end.value
            return result

    async def _answer(self, ask: Ask) -> Answer:
        await asyncio.sleep(ask.pause)
        try:
            response = await self._client.get(ask.path, params=dict(ask.parameters))
        except httpx.TransportError as error:
            return Answer(0, {"detail": f"the service at {self._client.base_url} does not respond: {error}"})
        return Answer(response.status_code, _content(response))
