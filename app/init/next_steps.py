"""What a person does once the files are there: the URL for PingMe, the firewall, a first SMS, the page, the backup."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.init.answers import Answers
from app.init.files import ADMIN
from app.init.installing import HIDES, hidden

# Measured on two cores with Python 3.11: see docs/guides/installation.md.
MEMORY: Final = "150 MB for smsbus"
KAFKA_MEMORY: Final = ", 350 MB for Kafka"
DISK: Final = "0.5 GB for the program, up to 1 GiB for the journal"
KAFKA_DISK: Final = ", up to 1 GiB for dead letters and about 1 GB for each million SMS of seven days"

FETCHES: Final = "fetches Kafka from Maven Central (45 MB, repo.maven.apache.org)"
STOPPED: Final = "               while smsbus is stopped, or as a snapshot: a copy of files in use may lack SMS"


def needs(answers: Answers) -> str:
    """Return the memory and the disk that it takes."""
    local = answers.has_own_kafka
    return f"memory: {MEMORY}{KAFKA_MEMORY if local else ''}; disk: {DISK}{KAFKA_DISK if local else ''}"


def next_steps(answers: Answers, directory: Path, program: str, *, is_installed: bool) -> Iterator[str]:
    """Yield the lines, without a secret; `program` is the one that runs now."""
    directory = directory.absolute()
    command = _command(answers, directory)
    if not is_installed:
        yield from _unseen(answers)
        yield f"Install it:    sudo {program} init --apply --dir {directory}"
    yield f"It needs       {needs(answers)}"
    if answers.form == "systemd" and answers.has_own_kafka:
        yield f"First start    {FETCHES}"
    ports = "TCP 80 and 443 (UDP 443 for HTTP/3)" if answers.proxy == "caddy" else "what your proxy needs"
    yield f"Open           {ports} in the firewall; nothing else: {ADMIN} and Kafka are for this machine"
    for account in (name for name, provider in answers.accounts.items() if provider == "pingme"):
        yield f"For PingMe     https://{answers.domain}/v1/pingme/… is the callback URL; its secret end is shown by"
        yield f"               {command} callback url {account}"
        yield f"Check it       {command} callback test {account}"
        yield f"Send an SMS    {command} trigger pingme --account {account}"
    yield from _page(answers, command)
    settings = "/etc/smsbus/smsbus.toml" if answers.form == "systemd" else f"{directory}/smsbus.toml"
    yield f"Settings       {settings} is yours: no later run changes it"
    yield from _backup(answers, directory)


def _unseen(answers: Answers) -> Iterator[str]:
    unseen = hidden(Path(answers.program)) if answers.form == "systemd" else None
    if unseen:
        yield f"First          {HIDES.format(unseen)},"
        yield "               and name it: --program /opt/smsbus/bin/smsbus"


def _command(answers: Answers, directory: Path) -> str:
    if answers.form == "systemd":
        return "sudo smsbus"
    return f"docker compose --project-directory {directory} exec smsbus smsbus"


def _page(answers: Answers, command: str) -> Iterator[str]:
    if answers.page_host is not None:
        yield f"See it         https://{answers.page_host}/ with the token in the URL of: {command} open --print"
        return
    yield f"See it         ssh -N -L {ADMIN}:127.0.0.1:{ADMIN} {answers.domain}   (on your own machine)"
    yield f"               then the URL of: {command} open --print"


def _backup(answers: Answers, directory: Path) -> Iterator[str]:
    if answers.form == "compose":
        yield f"Back up        {directory}, with the secrets; the volume smsbus_journal: what Kafka does not have yet"
        if answers.has_own_kafka:
            yield "               the volume smsbus_kafka-data: the SMS of seven days"
        yield STOPPED
        return
    kafka = ", and /var/lib/smsbus-kafka for the SMS of seven days" if answers.has_own_kafka else ""
    yield f"Back up        /etc/smsbus with the secrets, /var/lib/smsbus{kafka}"
    yield STOPPED
    yield f"Keep private   {directory}: it has the same secrets"
