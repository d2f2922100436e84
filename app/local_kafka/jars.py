"""Kafka's jars: pinned by sha256 in `app/kafka_jars.lock`, fetched by jgo, checked once, kept in the user's cache."""

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import platformdirs
from rich.console import Console
from rich.progress import Progress

from app.local_kafka.errors import LocalKafkaError

KAFKA_VERSION = "4.1.1"
LOCK = Path(__file__).parent.parent / "kafka_jars.lock"
AT_ONCE = 8  # the whole set: 7 s with 8 downloads at once, 15 s one by one
ATTEMPTS = 3
NOT_INSTALLED = (
    'a local Kafka needs two more packages: install smsbus with its extra, as in `uv tool install ".[local]"` '
    "(docs/guides/installation.md)"
)


class Jar(NamedTuple):
    """One line of the lock file."""

    sha256: str
    group: str
    artifact: str
    version: str

    @property
    def file_name(self) -> str:
        """The name in our cache; unique, since no two groups of the lock share an artifact."""
        return f"{self.artifact}-{self.version}.jar"


def read_lock(text: str) -> list[Jar]:
    """Parse lines of `sha256  group:artifact:version`, as `sha256sum` would write them."""
    return [Jar(sha256, *coordinate.split(":")) for sha256, coordinate in map(str.split, text.splitlines())]


def cache_directory() -> Path:
    """Return where this user's jars are kept."""
    return Path(platformdirs.user_cache_dir("smsbus")) / f"kafka-{KAFKA_VERSION}"


async def kafka_classpath() -> str:
    """Return the class path of Kafka, from this user's cache; messages go to stderr."""
    jars = read_lock(await asyncio.to_thread(LOCK.read_text))
    return await classpath(cache_directory(), jars, Console(stderr=True))


async def classpath(cache: Path, jars: Sequence[Jar], console: Console) -> str:
    """Return Java's class path of `jars`, all of them present in `cache` and checked when they entered it.

    The first call fetches about 44 MB and says so on `console`; later calls are silent and use no network.
    Raises LocalKafkaError when a jar cannot be fetched, or is not the one that was pinned.
    """
    missing = await asyncio.to_thread(lambda: [jar for jar in jars if not os.access(cache / jar.file_name, os.R_OK)])
    if missing:
        with _progress(console, len(missing)) as advance:
            await _fetch_all(missing, cache, advance)
    return os.pathsep.join(str(cache / jar.file_name) for jar in jars)


async def _fetch_all(jars: Sequence[Jar], cache: Path, advance: Callable[[], None]) -> None:
    slots = asyncio.Semaphore(AT_ONCE)

    async def fetch_one(jar: Jar) -> None:
        async with slots:
            await asyncio.to_thread(_fetch, jar, cache)
        advance()

    try:
        async with asyncio.TaskGroup() as group:
            for jar in jars:
                group.create_task(fetch_one(jar))
    except* LocalKafkaError as failures:
        raise failures.exceptions[0] from None


def _fetch(jar: Jar, cache: Path) -> None:
    """Put `jar` into `cache` by a rename, so that two processes at once never see half a file."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".fetch-", dir=cache) as scratch:
            fetched = _download(jar, Path(scratch))
            check(jar, fetched.read_bytes())
            fetched.replace(cache / jar.file_name)
    except OSError as error:
        raise LocalKafkaError(f"cannot store Kafka's jars in {cache}: {error.strerror or error}") from error


def check(jar: Jar, content: bytes) -> None:
    """Raise LocalKafkaError unless `content` is the pinned jar."""
    found = hashlib.sha256(content).hexdigest()
    if found != jar.sha256:
        raise LocalKafkaError(
            f"{jar.file_name} is not the pinned file and was deleted: sha256 {found}, expected {jar.sha256}; "
            "if a proxy or a mirror responds instead of Maven Central, fix that and try again"
        )


def _download(jar: Jar, scratch: Path) -> Path:
    """Let jgo fetch `jar` from its default repository into a directory of its own: jgo accepts incomplete files."""
    try:
        from jgo.maven import MavenContext  # noqa: PLC0415  the extra [local] may be missing
    except ImportError:
        raise LocalKafkaError(NOT_INSTALLED) from None
    for attempt in range(ATTEMPTS):
        context = MavenContext(repo_cache=scratch / str(attempt))
        try:
            found: Path = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
        except Exception as error:  # noqa: BLE001 - requests' errors, and those of parsers where a proxy answers
            reason = type(error).__name__
        else:
            return found
    raise LocalKafkaError(
        f"cannot download {jar.file_name} ({reason}): the first start needs Maven Central once; "
        "check the network, or set HTTPS_PROXY if this machine needs a proxy"
    )


@contextmanager
def _progress(console: Console, count: int) -> Iterator[Callable[[], None]]:
    """Show a bar on a terminal, two plain lines elsewhere."""
    title = f"Downloading Apache Kafka {KAFKA_VERSION} (once, {count} jars)"
    if console.is_terminal:
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task(title, total=count)
            yield lambda: bar.advance(task)
        return
    console.print(title, highlight=False)
    yield lambda: None
    console.print(f"Apache Kafka {KAFKA_VERSION} is in the cache", highlight=False)
