"""A real Prometheus (Debian's package of this name) that scrapes one target and evaluates the rules of deploy/."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.e2e.program import ROOT, eventually, free_port

RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
PROGRAM = shutil.which("prometheus")
START_SECONDS = 30
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs: [{{job_name: smsbus, static_configs: [{{targets: ["{target}"]}}]}}]
"""


def rendered(rules: str, factor: int) -> str:
    """Return the rules with everything that takes time so many times as quick.

    That is every `for`, range in brackets and `offset`, and every number of seconds that a metric is compared with.
    """

    def shorter(found: re.Match[str]) -> str:
        seconds = int(found["number"]) * UNITS[found["unit"]]
        return f"{found['before']}{seconds * 1000 // factor}ms"

    def less(found: re.Match[str]) -> str:
        return f"{found['before']}{int(found['number']) / factor}"

    rules = re.sub(r"(?P<before>\[|for: |offset )(?P<number>\d+)(?P<unit>[smhd])\b", shorter, rules)
    return re.sub(r"(?P<before>_seconds\) [<>] )(?P<number>\d+)", less, rules)


class Prometheus:
    """One that runs; what fires is asked of it."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self.fired: set[str] = set()
        """Every alert that was seen to fire."""

    async def answers(self) -> bool:
        """Tell whether it has its rules."""
        try:
            return bool((await self._get("/api/v1/rules"))["groups"])
        except (aiohttp.ClientError, KeyError):
            return False

    async def firing(self) -> set[str]:
        """Return the alerts that fire now, by name."""
        alerts = (await self._get("/api/v1/alerts"))["alerts"]
        now = {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}
        self.fired |= now
        return now

    async def fires(self, expected: set[str], seconds: float) -> None:
        """Return once exactly these fire."""

        async def do() -> bool:
            return await self.firing() == expected

        await eventually(do, seconds, f"firing: {sorted(expected) or 'nothing'}, of all that did: {sorted(self.fired)}")

    async def _get(self, path: str) -> dict:
        async with aiohttp.ClientSession() as session, session.get(self._url + path) as answer:
            return (await answer.json())["data"]


@asynccontextmanager
async def prometheus(directory: Path, target: str, *, factor: int) -> AsyncIterator[Prometheus]:
    """Run one in this directory; `target` is host and port."""
    port, rules, config = free_port(), directory / "alerts.yaml", directory / "prometheus.yaml"
    rules.write_text(rendered(RULES.read_text(), factor))
    config.write_text(CONFIG.format(rules=rules, target=target))
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        f"--config.file={config}",
        f"--storage.tsdb.path={directory / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    )
    try:
        server = Prometheus(port)
        await eventually(server.answers, START_SECONDS, "Prometheus has its rules")
        yield server
    finally:
        process.terminate()
        await process.wait()
