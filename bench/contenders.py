"""The contenders: their programs, which part of the job they do, and why one cannot run."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from bench.callbacks import MANY, PATH, TOKEN
from bench.machine import FASTIFY, PEERS, ROOT
from bench.server import Command, free_port

TOPIC: Final = "sms.received.v1"
PROGRAMS: Final = ROOT / "bench" / "peers"
SMSBUS: Final = Path(sys.executable).with_name("smsbus")

NOTHING: Final = "nothing"
PASS_THROUGH: Final = "body as it is"
FULL: Final = "full job"
FLOOR: Final = "bare aiohttp"
AGAIN: Final = "bare aiohttp again"
OURS: Final = "smsbus"
ONE_PARTITION: Final = ", one partition"


class Place(NamedTuple):
    """Where a contender runs."""

    port: int
    kafka: str
    directory: Path


@dataclass(frozen=True)
class Contender:
    """One server. With `missing` it cannot be run here; `recipients` gives a row a number."""

    name: str
    work: str
    command: Callable[[Place], Command]
    recipients: tuple[int, ...] = (MANY,)
    missing: str = ""
    two_cores: bool = False

    def row_name(self, recipients: int) -> str:
        return self.name + (ONE_PARTITION if recipients == 1 else "")


def contenders() -> list[Contender]:
    """Return all of them, in the order of their turns: the floor at both ends."""
    no_peers = "" if (PEERS / "python").exists() else "`make bench` installs it"
    no_npm = "" if shutil.which("node") and (FASTIFY / "node_modules").exists() else "`make bench-npm` installs it"
    no_bento = "" if (PEERS / "bento").exists() else "`make bench-go` builds it"
    no_workers = "" if _knows_workers() else "this smsbus has no `--workers`"
    return [
        Contender(FLOOR, NOTHING, floor),
        Contender(OURS, FULL, smsbus(), (MANY, 1)),
        Contender(f"{OURS}, fast lane off", FULL, smsbus(SMSBUS_RECEIVER__FAST_LANE="false"), (MANY, 1)),
        Contender(f"{OURS} --workers 2", FULL, smsbus("--workers", "2"), missing=no_workers, two_cores=True),
        Contender("mq-bridge", PASS_THROUGH, mq_bridge, missing=no_peers),
        Contender("aiohttp + aiokafka", PASS_THROUGH, naive, missing=no_peers),
        Contender("FastAPI + aiokafka", FULL, uvicorn("fastapi_aiokafka"), missing=no_peers),
        Contender("FastAPI + confluent-kafka", FULL, uvicorn("fastapi_confluent"), missing=no_peers),
        Contender("Fastify + kafkajs, group commit", FULL, fastify, missing=no_npm),
        Contender("Bento", PASS_THROUGH, bento("pass_through"), missing=no_bento),
        Contender("Bento, mapping", FULL, bento("mapping"), missing=no_bento),
        Contender(AGAIN, NOTHING, floor),
    ]


def floor(place: Place) -> Command:
    return Command([sys.executable, str(PROGRAMS / "floor.py"), str(place.port)])


def smsbus(*options: str, **environ: str) -> Callable[[Place], Command]:
    def command(place: Place) -> Command:
        settings = {
            "SMSBUS_DATA_DIR": str(place.directory),
            "SMSBUS_KAFKA__BOOTSTRAP_SERVERS": place.kafka,
            "SMSBUS_RECEIVER__HOST": "127.0.0.1",
            "SMSBUS_RECEIVER__PORT": str(place.port),
            "SMSBUS_ADMIN__PORT": str(free_port()),
            "SMSBUS_ACCOUNTS__BENCH__PROVIDER": "pingme",
            "SMSBUS_ACCOUNTS__BENCH__CALLBACK_TOKENS": TOKEN,
            "SMSBUS_LOG__LEVEL": "warning",
        }
        return Command([str(SMSBUS), "serve", "--role", "receiver", *options], settings | environ)

    return command


def naive(place: Place) -> Command:
    return Command([*_python("naive"), str(place.port), place.kafka, TOPIC])


def mq_bridge(place: Place) -> Command:
    return Command([*_python("mq_bridge_route"), str(place.port), place.kafka, TOPIC, PATH])


def uvicorn(module: str) -> Callable[[Place], Command]:
    quick = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]

    def command(place: Place) -> Command:
        where = ["--app-dir", str(PROGRAMS), "--port", str(place.port)]
        return Command([str(PEERS / "uvicorn"), f"{module}:app", *where, *quick], _environ(place))

    return command


def fastify(place: Place) -> Command:
    return Command(["node", str(FASTIFY / "server.js"), str(place.port), place.kafka, TOPIC, TOKEN])


def bento(config: str) -> Callable[[Place], Command]:
    def command(place: Place) -> Command:
        return Command([str(PEERS / "bento"), "-c", str(PROGRAMS / "bento" / f"{config}.yaml")], _environ(place))

    return command


def _python(program: str) -> list[str]:
    return [str(PEERS / "python"), str(PROGRAMS / f"{program}.py")]


def _environ(place: Place) -> dict[str, str]:
    return {
        "BENCH_PORT": str(place.port),
        "BENCH_KAFKA": place.kafka,
        "BENCH_TOPIC": TOPIC,
        "BENCH_TOKEN": TOKEN,
    }


def _knows_workers() -> bool:
    asked = subprocess.run([SMSBUS, "serve", "--help"], check=False, capture_output=True, text=True)
    return "--workers" in asked.stdout
