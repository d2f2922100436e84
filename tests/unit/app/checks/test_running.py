"""`smsbus check` asks the service that runs: what a disk shows may be another's, or gone."""

from typing import Any, Self

import pytest

from app.checks import running as checked
from app.checks.finding import Finding
from app.checks.running import running
from app.service import Answer, NotAccepted, NotReached
from app.settings.load import Settings


class Service:
    """Says this at /readyz."""

    def __init__(self, said: dict[str, Any] | Exception) -> None:
        self._said = said

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def get(self, path: str) -> Answer:
        if isinstance(self._said, Exception):
            raise self._said
        return Answer(200, self._said if path == "/readyz" else {})


FULL = {"status": "full", "degraded": ["kafka_away", "journal_unwritable"]}
ACCEPTS_NOTHING = (
    "the service that runs here accepts nothing (kafka_away, journal_unwritable): `smsbus status` says what to do"
)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (FULL, [Finding("failed", ACCEPTS_NOTHING)]),
        (
            {"status": "ready", "degraded": ["kafka_away"]},
            [Finding("warning", "the service that runs here says kafka_away: `smsbus status` says what to do")],
        ),
        (
            {"status": "ready", "degraded": []},
            [Finding("ok", "the service that runs here says that everything works")],
        ),
        (NotReached("nobody"), []),
        (NotAccepted("of another installation"), []),
    ],
    ids=["full", "degraded", "well", "none", "another's"],
)
async def test_what_the_service_says_of_itself_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, Any] | Exception, found: list[Finding]
) -> None:
    monkeypatch.setattr(checked, "service_of", lambda _: Service(said))

    assert await running(Settings()) == found
