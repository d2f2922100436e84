"""A running service as a client of its admin listener sees it: `SMSBUS_URL`, or the one on this machine."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import aiohttp

from app.admin.token import READ, token_file, with_admin_token
from app.settings.load import Settings, client_variables, findable, load
from app.settings.names import SettingsError

CONNECT_SECONDS: Final = 10.0
RESPONSE_SECONDS: Final = 75.0  # a wait lasts 55
FAILURES: Final = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
WHERE: Final = "SMSBUS_URL must be its address; or run this where its settings are (--config)"
NOTHING_THERE: Final = (
    "there is nothing at {}: SMSBUS_URL must be the admin listener (port 8081, unless admin.port says otherwise; the "
    "receiver has another one) of a process with the inbox"
)


class ServiceError(Exception):
    """The service cannot be asked, or refuses. The text says what to do."""

    safe_to_log = True


class NotReached(ServiceError):
    """It does not respond: perhaps it is being restarted. The cause says how."""


class NotAccepted(ServiceError):
    """It does not accept our token."""


class NoToken(ServiceError):
    """There is no token on this machine; a client makes none, since no service would accept it."""


class Answer(NamedTuple):
    """A response: an object of JSON, or a problem document."""

    status: int
    content: Mapping[str, Any]
    url: str = ""

    @property
    def reason(self) -> str:
        """The reason of a problem document."""
        return str(self.content.get("reason", ""))

    @property
    def detail(self) -> str:
        """What a problem document says to people; what is served has a reason of its own where it has no such thing."""
        if self.status == 404 and self.reason in {"", "not_found"}:
            return NOTHING_THERE.format(self.url)
        return str(self.content.get("detail", f"status {self.status}"))


class Service:
    """Ask it. Use as an asynchronous context."""

    def __init__(self, url: str, header: Mapping[str, str]) -> None:
        self.url = url.rstrip("/")
        timeout = aiohttp.ClientTimeout(total=RESPONSE_SECONDS, sock_connect=CONNECT_SECONDS)
        self._session = aiohttp.ClientSession(headers=header, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Answer:
        """Send a GET. Raises `NotReached` and `NotAccepted`."""
        return await self._ask("GET", path, params=parameters)

    async def text(self, path: str) -> str:
        """Return what a GET returns as text. Raises as `get`."""
        try:
            async with self._session.get(self.url + path, allow_redirects=False) as response:
                text = await response.text()
        except FAILURES as error:
            raise self._not_reached(error) from error
        if response.status != 200:
            raise ServiceError(NOTHING_THERE.format(self.url + path))
        return text

    async def post(self, path: str, content: Mapping[str, Any]) -> Answer:
        """Send a POST of JSON. Raises as `get`."""
        return await self._ask("POST", path, json=content)

    async def _ask(self, method: str, path: str, **asked: Any) -> Answer:  # noqa: ANN401 - aiohttp's
        try:
            async with self._session.request(method, self.url + path, allow_redirects=False, **asked) as response:
                answer = Answer(response.status, await response.json(content_type=None) or {}, self.url + path)
        except FAILURES as error:
            raise self._not_reached(error) from error
        if answer.status == 401:
            enough = ", or to its admin.read_token" if method == "GET" and path.startswith(READ) else ""
            message = (
                f"the service at {self.url} does not accept our token: set SMSBUS_TOKEN to its admin token{enough}"
            )
            raise NotAccepted(message)
        return answer

    def _not_reached(self, error: Exception) -> NotReached:
        why = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
        return NotReached(f"no smsbus service responds at {self.url} ({str(why) or type(error).__name__}): {WHERE}")


class Address(NamedTuple):
    """Where a service is, and the token that it accepts."""

    url: str
    token: str

    @property
    def page(self) -> str:
        """The page's URL, which carries the token: a browser sends nobody what is behind the `#`."""
        return f"{self.url.rstrip('/')}/#token={self.token}"


def address(config: Path | None) -> Address:
    """Return the service that the environment names, else the one of the settings.

    Raises `NoToken`, and `SettingsError` if what the environment names is no URL.
    """
    url, token = client_variables()
    if url:
        if not url.startswith(("http://", "https://")):
            raise SettingsError([f"SMSBUS_URL={url} must begin with http:// or https://, like http://localhost:8081"])
        return Address(url, token or "")
    settings = load(config)
    return Address(settings.admin_url(), token or _token(settings))


def service(config: Path | None) -> Service:
    """Return the service at `address`. Raises as that does."""
    return _at(address(config))


def service_despite(wrong: SettingsError, config: Path | None) -> Service:
    """Return the service that may run with older settings than those on disk, which are `wrong`; else raises that."""
    if client_variables()[0] or (settings := findable(config)) is None:
        raise wrong
    return _at(Address(settings.admin_url(), client_variables()[1] or _token(settings)))


def service_of(settings: Settings) -> Service:
    """Return the service that runs with these settings, whatever the environment names. Raises `NoToken`."""
    return _at(Address(settings.admin_url(), _token(settings)))


def _at(there: Address) -> Service:
    return Service(there.url, {"Authorization": f"Bearer {there.token}"} if there.token else {})


def _token(settings: Settings) -> str:
    if not settings.admin.token and not token_file(settings).exists():
        message = f"no admin token is in {token_file(settings)}: has the service run with this data_dir? Else {WHERE}"
        raise NoToken(message)
    found = with_admin_token(settings).admin.token
    return found.get_secret_value() if found else ""
