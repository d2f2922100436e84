"""Forwarding, composed: its name, its signing secret, its consumer group, and its sender."""

import asyncio
import getpass
import hashlib
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, NamedTuple

import structlog
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from yarl import URL

from app.admin.listener import Admin
from app.errors import StartupError
from app.kept_secret import kept
from app.process import instance_id
from app.settings.load import Settings
from app.wiring import Reading
from bus.kafka.group_progress import FORWARD_GROUPS
from bus.kafka.group_reader import GroupReader, Place
from bus.kafka.topics_reader import Part
from forwarding.address import target_url
from forwarding.delivery import Step
from forwarding.forward import Forward
from forwarding.letters import LetterWriter
from forwarding.metrics import ForwardMetrics
from forwarding.sender import Sender
from forwarding.signature import key_of, new_secret
from inbox.filters import Filter
from inbox.item import Item

NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")

_log = structlog.get_logger("forward")


class Target(NamedTuple):
    """Where events go, and which."""

    name: str
    url: URL
    secret: str
    wanted: Filter
    private: bool
    """It may be on this machine, or in a private network."""
    since_ms: int | None = None
    """Where a new name begins; None: with what comes from now on."""


def default_name(url: URL) -> str:
    """Return a name that the same person on the same machine gets again for the same URL, and nobody else."""
    who, machine = _user(), socket.gethostname()
    digest = hashlib.sha256("\n".join((who, machine, str(url))).encode("utf-8", "replace")).hexdigest()[:8]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", f"{who}-{machine}-{url.host}-{url.port}").strip("-")[:80] + f"-{digest}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as in some containers
        return "user"


def secret_of(data_dir: Path, name: str) -> str:
    """Return the signing secret of a name: made by its first start, and the same ever after. Raises `StartupError`."""
    path = _secret_path(data_dir, name)
    try:
        secret = kept(path, new_secret).text
    except OSError as error:
        message = f"SMSBUS_DATA_DIR: the signing secret cannot be kept in {path}: {error.strerror}"
        raise StartupError([message]) from error
    try:
        key_of(secret)
    except ValueError:
        message = f"SMSBUS_DATA_DIR: {path} contains no signing secret: remove it, and the next start makes another"
        raise StartupError([message]) from None
    return secret


def kept_target(data_dir: Path, name: str, url: URL) -> Target | None:
    """Return a target at this URL that signs as the name's starts do; None: the name was never started here."""
    if not NAME.fullmatch(name) or not _secret_path(data_dir, name).exists():
        return None
    return Target(name, url, secret_of(data_dir, name), Filter(), private=True)


def _secret_path(data_dir: Path, name: str) -> Path:
    return data_dir / "forward" / f"{name}.secret"


def configured(settings: Settings) -> list[Target]:
    """Return the targets of the settings."""
    return [
        Target(name, target_url(_text(each.url)), _text(each.secret), each.wanted(), each.allow_private)
        for name, each in settings.forwards.items()
    ]


def _text(secret: SecretStr) -> str:
    return secret.get_secret_value()


def forwarding(
    settings: Settings,
    target: Target,
    stack: AsyncExitStack,
    *,
    on_placed: Callable[[Mapping[Part, Place]], None] = lambda _: None,
    on_step: Callable[[Item, Step], None] = lambda *_: None,
) -> Forward:
    """Return forwarding to this target; it does not run yet. `stack` closes its connections in the end."""

    def placed(places: Mapping[Part, Place]) -> None:
        _say(target.name, places)
        on_placed(places)

    reader = GroupReader(
        settings.kafka,
        target.wanted.topics,
        group=settings.kafka.topic(FORWARD_GROUPS + target.name),
        since_ms=target.since_ms,
        on_placed=placed,
    )
    sender = Sender(target.url, private=target.private)
    letters = LetterWriter(settings.kafka, instance_id())
    stack.push_async_callback(letters.close)
    stack.push_async_callback(sender.close)
    return Forward(target.name, reader, sender, letters, target.wanted, key=key_of(target.secret), on_step=on_step)


def _say(name: str, places: Mapping[Part, Place]) -> None:
    """Log where the reading begins."""
    new, anew = sum(place.is_new for place in places.values()), sum(place.is_anew for place in places.values())
    _log.info("forward_begins", forward=name, partitions=len(places), new=new, made_anew=anew)
    lost = sum(place.lost for place in places.values())
    if lost:
        _log.warning("forward_lost", forward=name, records=lost)


class Forwarding:
    """The configured targets. `start`, then `stop`."""

    def __init__(self, settings: Settings, registry: CollectorRegistry, stack: AsyncExitStack) -> None:
        """`stack` closes the connections in the end."""
        self.forwards = [forwarding(settings, target, stack) for target in configured(settings)]
        self._tasks: dict[str, asyncio.Task[None]] = {}
        ForwardMetrics(self.forwards, registry)

    def start(self) -> None:
        """Begin to forward; Kafka need not be there."""
        self._tasks = {each.name: asyncio.create_task(each.run()) for each in self.forwards}

    def alive(self) -> bool:
        """Whether every target is followed."""
        return not any(task.done() for task in self._tasks.values())

    def degraded(self) -> tuple[str, ...]:
        """Return the degraded reasons of all targets."""
        return tuple(reason for each in self.forwards for reason in each.degraded())

    async def stop(self) -> None:
        """Leave the groups; what was forwarded is committed."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    def admin(
        self, settings: Settings, registry: CollectorRegistry, *, degraded: Callable[[], tuple[str, ...]]
    ) -> Admin:
        """Return the internal listener: health and metrics alone. `degraded`: the reasons of the process."""
        return Admin(
            settings.admin,
            alive=self.alive,
            condition=lambda: Reading((*self.degraded(), *degraded())),
            registry=registry,
        )
