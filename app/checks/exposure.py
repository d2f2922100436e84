"""Secrets that others can read: in a file of this machine, or on the network."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from yarl import URL

from app.admin.token import token_file
from app.settings.load import Settings
from app.settings.sections import is_loopback
from forwarding.address import target_url

OTHERS: Final = 0o007  # permission bits of a mode
NOT_OURS: Final = 0o077


def readable_by_others(settings: Settings, files: Iterable[Path]) -> Iterator[str]:
    """Yield a sentence for each of these files, and of those that the settings name, that is open to other users."""
    ours = (settings.data_dir, settings.bus.journal_dir, token_file(settings))
    for path in dict.fromkeys([*files, *ours, *_private_keys(settings)]):
        if mend := _closing(path):
            yield f"{path} can be read by other users of this machine: `{mend}`"


def unencrypted(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each secret that is sent so that the network can read it."""
    for variable, url, what in _addresses(settings):
        if url.startswith("http://") and not is_loopback(URL(url).host or ""):
            yield f"{variable} is http://: {what} is sent unencrypted; is there an https:// URL?"
    kafka = settings.kafka
    if kafka.security_protocol == "SASL_PLAINTEXT" and kafka.sasl_mechanism == "PLAIN":
        yield "SMSBUS_KAFKA__SECURITY_PROTOCOL=SASL_PLAINTEXT with PLAIN sends the password unencrypted: use SASL_SSL"


def _private_keys(settings: Settings) -> Iterator[Path]:
    """Yield the file with the private key, which may be in the certificate's."""
    if key := settings.kafka.ssl_keyfile or settings.kafka.ssl_certfile:
        yield key


def _closing(path: Path) -> str | None:
    """Return the command that closes a file or directory to others; None: it is closed, or none of these.

    Of another user's file the group may be how this user reads it.
    """
    try:
        status = path.stat()
    except OSError:  # missing, or not readable for us either
        return None
    is_ours = status.st_uid == os.geteuid()
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        return None
    if not status.st_mode & (NOT_OURS if is_ours else OTHERS):
        return None
    return f"chmod go= {path}" if is_ours else f"chgrp {os.getegid()} {path} && chmod o= {path}"


def _addresses(settings: Settings) -> Iterator[tuple[str, str, str]]:
    if settings.receiver.public_url is not None:
        yield "SMSBUS_RECEIVER__PUBLIC_URL", settings.receiver.public_url, "the token in the callback URL"
    for name, account in settings.accounts.items():
        if account.base_url is not None:
            yield f"SMSBUS_ACCOUNTS__{name.upper()}__BASE_URL", account.base_url, "the API key"
    for name, forward in settings.forwards.items():
        url = str(target_url(forward.url.get_secret_value()))
        yield f"SMSBUS_FORWARDS__{name.upper()}__URL", url, "each SMS"
