"""A schema registry with Confluent's API, which Apicurio and others have, too."""

import json
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import aiohttp
from yarl import URL

from forwarding.address import target_url
from schemas.documents.reader_schema import Schema, draft7
from schemas.messages import VALUES

LEVEL: Final = "FORWARD"
"""Whoever reads with the schema of a release reads what later ones write: fields are added, none is taken away."""
STRICTER: Final = "FORWARD_TRANSITIVE"
"""The same against every earlier version, not the latest alone: somebody wanted more, and has it."""
TIMEOUT: Final = aiohttp.ClientTimeout(total=30.0, sock_connect=10.0)
MEDIA: Final = "application/vnd.schemaregistry.v1+json"
HOW: Final = "write it as http://HOST:8081, or https://USER:PASSWORD@HOST/PATH"
LONGEST: Final = 300  # characters of what a registry says; some repeat the whole schema
UNEXPLAINED: Final = "the registry does not say why here; `smsbus schema push`, which it refuses, shows the reason"
SUBJECT_MISSING: Final = 40401
SCHEMA_MISSING: Final = 40403
NOT_ONE: Final = (
    "{url} is no schema registry with Confluent's API (HTTP {status} from {path}): give its base address; "
    "that of Apicurio ends with /apis/ccompat/v7"
)


class RegistryError(Exception):
    """The registry cannot be asked, or refuses. The text says what it said."""

    safe_to_log = True


class Answer(NamedTuple):
    """A response."""

    status: int
    content: Any

    @property
    def error_code(self) -> int:
        """Confluent's number of the error; 0: there is none."""
        code = self.content.get("error_code") if isinstance(self.content, dict) else None
        return code if isinstance(code, int) else 0


class Pushed(NamedTuple):
    """What became of a schema."""

    version: int
    is_new: bool


class Compatibility(NamedTuple):
    """What the registry says of a schema beside the latest registered one; `version` 0: there is none yet."""

    version: int
    level: str
    problems: list[str]


def topic_schemas(prefix: str) -> dict[str, Schema]:
    """Return the schema of each subject: of the values of each topic of an installation with this prefix."""
    return {f"{prefix}{value.TOPIC}-value": draft7(value) for value in VALUES}


def registry_url(text: str) -> URL:
    """Return the base address. Raises ValueError with how to write it, without what was given."""
    try:
        return target_url(text).with_query(None)
    except ValueError:
        raise ValueError(HOW) from None


class SchemaRegistry:
    """Ask it. Use as an asynchronous context; its methods raise `RegistryError`."""

    def __init__(self, url: URL) -> None:
        """`url`: the base address; a user and a password in it are the login."""
        self._url = url
        self._session = aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def push(self, subject: str, schema: Schema) -> Pushed:
        """Register a schema and set its subject's level, unless that is stricter; a schema that is there stays."""
        if await self._level(subject) != STRICTER:
            path = f"config/{subject}"  # first, since a new version is judged by it
            self._accepted(await self._ask("PUT", path, {"compatibility": LEVEL}), path, "compatibility")
        version = await self._version(subject, schema)
        if version is None:
            await self._register(subject, schema)
        return Pushed(version or await self._version(subject, schema) or 0, version is None)

    async def check(self, subject: str, schema: Schema) -> Compatibility:
        """Ask whether a schema may follow the latest one that is registered."""
        latest = await self._latest(subject)
        if not latest:
            return Compatibility(0, "", [])
        level = await self._level(subject)
        path = f"compatibility/subjects/{subject}/versions/latest?verbose=true"
        answer = await self._ask("POST", path, _body(schema))
        if self._accepted(answer, path, "is_compatible"):
            return Compatibility(latest, level, [])
        return Compatibility(latest, level, list(map(_short, answer.content.get("messages") or [UNEXPLAINED])))

    async def _level(self, subject: str) -> str:
        """Return by what a subject is judged; empty: a registry that has no such subject may not say it."""
        config = f"config/{subject}?defaultToGlobal=true"
        answer = await self._ask("GET", config)
        return "" if answer.error_code == SUBJECT_MISSING else self._accepted(answer, config, "compatibilityLevel")

    async def _latest(self, subject: str) -> int:
        """Return the latest version; 0: there is none."""
        path = f"subjects/{subject}/versions"
        answer = await self._ask("GET", path)
        return 0 if answer.error_code == SUBJECT_MISSING else max(self._accepted(answer, path, None), default=0)

    async def _version(self, subject: str, schema: Schema) -> int | None:
        path = f"subjects/{subject}"
        answer = await self._ask("POST", path, _body(schema))
        if answer.error_code in {SUBJECT_MISSING, SCHEMA_MISSING}:
            return None
        return int(self._accepted(answer, path, "version"))

    async def _register(self, subject: str, schema: Schema) -> None:
        path = f"subjects/{subject}/versions"
        answer = await self._ask("POST", path, _body(schema))
        if answer.status == 409:
            said = _short(_message(answer))
            raise RegistryError(f"{subject} was not registered, since the registry finds it incompatible: {said}")
        self._accepted(answer, path, "id")

    async def _ask(self, method: str, path: str, body: object = None) -> Answer:
        url = URL(f"{str(self._url).rstrip('/')}/{path}")
        headers = {"Content-Type": MEDIA, "Accept": f"{MEDIA}, application/json"}
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        try:
            async with self._session.request(
                method, url, data=content, headers=headers, allow_redirects=False
            ) as response:
                return Answer(response.status, _parsed(await response.read()))
        except (aiohttp.ClientError, OSError) as error:
            said = str(error) if isinstance(error, aiohttp.ClientConnectorError) else type(error).__name__
            raise RegistryError(f"the schema registry {self._shown} cannot be reached: {said}") from error

    def _accepted(self, answer: Answer, path: str, key: str | None) -> Any:  # noqa: ANN401  parsed JSON
        """Return what a response that is no error has at a key; None: the list that it is."""
        if answer.status == 200 and (found := _found(answer.content, key)) is not None:
            return found
        if answer.status in {401, 403}:
            raise RegistryError(
                f"{self._shown} does not let us in (HTTP {answer.status}): put a login into its address, "
                "https://USER:PASSWORD@HOST"
            )
        if not answer.error_code and answer.status < 500:
            raise RegistryError(NOT_ONE.format(url=self._shown, status=answer.status, path=path))
        raise RegistryError(f"{self._shown} refused {path} (HTTP {answer.status}): {_short(_message(answer))}")

    @property
    def _shown(self) -> URL:
        """The address without the login."""
        return self._url.with_user(None)


def _body(schema: Schema) -> dict[str, str]:
    return {"schemaType": "JSON", "schema": json.dumps(schema, ensure_ascii=False)}


def _parsed(body: bytes) -> Any:  # noqa: ANN401  parsed JSON
    """Return the JSON of a response, None where it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def _found(content: Any, key: str | None) -> Any:  # noqa: ANN401  parsed JSON
    if isinstance(content, dict):
        return content.get(key)
    return content if isinstance(content, list) and key is None else None


def _message(answer: Answer) -> str:
    said = answer.content.get("message") if isinstance(answer.content, dict) else None
    return str(said or "it does not say why")


def _short(text: str) -> str:
    """Return it on one line that a person can read."""
    words = " ".join(str(text).split())
    return words if len(words) <= LONGEST else words[:LONGEST] + "…"
