"""How the service is that runs with these settings, if one does: its disk alone does not show that."""

import asyncio
from typing import Final

from app.admin.token import ABOUT
from app.checks.finding import Finding
from app.service import ServiceError, service_of
from app.settings.load import Settings

SECONDS: Final = 5.0
FULL: Final = "the service that runs here accepts nothing ({}): `smsbus status` says what to do"
WRONG: Final = "the service that runs here says {}: `smsbus status` says what to do"
WELL: Final = "the service that runs here says that everything works"


async def running(settings: Settings) -> list[Finding]:
    """Return what it says of itself; nothing where none responds that has our token."""
    try:
        async with asyncio.timeout(SECONDS), service_of(settings) as there:
            await there.get(ABOUT)  # of another installation: it does not accept our token
            said = (await there.get("/readyz")).content
    except (ServiceError, TimeoutError):
        return []
    words = ", ".join(said.get("degraded", []))
    if said.get("status") == "full":
        return [Finding("failed", FULL.format(words))]
    return [Finding("warning", WRONG.format(words)) if words else Finding("ok", WELL)]
