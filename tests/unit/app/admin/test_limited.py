"""A token that is limited to accounts is shown health and metrics of these alone."""

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import SecretStr

from app.admin.callbacks import CallbackApi
from app.admin.limited import metrics_of, reasons_of
from app.admin.listener import Admin
from app.degraded import MEANINGS
from app.settings.sections import AdminSettings
from app.status import Metrics, status
from receiver.server import TokenUse
from tests.unit.app.admin.test_listener import Condition
from tests.unit.app.admin.test_read_token import OURS, SHOPS, shown

DEGRADED = (
    "kafka_away",
    "takes_nothing:sms.received.v1:NotEnoughReplicas",
    "over_share:shop",
    "account_paused:grizzly",
)
METRICS = """\
# HELP smsbus_callbacks_total Callbacks
# TYPE smsbus_callbacks_total counter
smsbus_callbacks_total{account="shop",outcome="accepted"} 3.0
smsbus_callbacks_total{account="other",outcome="accepted"} 4.0
# HELP smsbus_polls_total Requests
# TYPE smsbus_polls_total counter
smsbus_polls_total{process="pollers",account="grizzly",outcome="waiting"} 5.0
# HELP smsbus_inbox_events Events
# TYPE smsbus_inbox_events gauge
smsbus_inbox_events 212.0
# HELP smsbus_kafka_connected Kafka
# TYPE smsbus_kafka_connected gauge
smsbus_kafka_connected{process="pollers"} 1.0
# HELP smsbus_degraded Reasons
# TYPE smsbus_degraded gauge
smsbus_degraded{reason="kafka_away"} 1.0
smsbus_degraded{reason="account_paused",account="grizzly"} 1.0
smsbus_degraded{reason="account_paused",account="shop"} 0.0
smsbus_degraded{reason="forward_waiting",forward="shop"} 1.0
"""


def test_metrics_are_those_of_its_accounts_and_of_how_the_service_is() -> None:
    assert [line for line in metrics_of(METRICS, ("shop",)).splitlines() if "HELP" not in line] == [
        "# TYPE smsbus_callbacks_total counter",
        'smsbus_callbacks_total{account="shop",outcome="accepted"} 3.0',
        "# TYPE smsbus_kafka_connected gauge",
        'smsbus_kafka_connected{process="pollers"} 1.0',
        "# TYPE smsbus_degraded gauge",
        'smsbus_degraded{reason="kafka_away"} 1.0',
        'smsbus_degraded{reason="account_paused",account="shop"} 0.0',
    ]
    assert metrics_of(METRICS, None) == METRICS


def test_reasons_are_those_of_its_accounts_and_of_everybody() -> None:
    assert reasons_of(DEGRADED, ("shop",)) == [*DEGRADED[:3]]
    assert reasons_of(DEGRADED, None) == [*DEGRADED]


@pytest.mark.parametrize("word", sorted(word for word, means in MEANINGS.items() if "ccount NAME" in means.what))
def test_no_reason_names_the_account_of_others(word: str) -> None:
    assert reasons_of([f"{word}:grizzly"], ("shop",)) == []
    assert reasons_of([f"{word}:grizzly"], ("grizzly",)) == [f"{word}:grizzly"]


def test_no_reason_names_a_target_of_others() -> None:
    assert reasons_of(["forward_waiting:their-hook"], ("shop",)) == []


@pytest.fixture
async def client() -> AsyncIterator[TestClient]:  # type: ignore[type-arg]
    """The listener of a service with two PingMe accounts and a polled one."""
    registry = CollectorRegistry()
    Counter("smsbus_published", "", registry=registry).inc(7)
    is_open = Gauge("smsbus_account_open", "", ["account"], registry=registry)
    is_open.labels("grizzly").set(1)
    uses = [TokenUse(name, "0123456789ab", newest=True, last_used_ms=None) for name in ("shop", "other")]
    admin = Admin(
        AdminSettings(token=SecretStr(OURS), read_token=SecretStr(SHOPS), read_accounts=("shop",)),
        alive=lambda: True,
        condition=lambda: Condition(can_accept=True, degraded=DEGRADED),
        registry=registry,
        extend=CallbackApi(lambda: uses, lambda: 0).add_to,
    )
    admin.ready = True
    async with TestClient(TestServer(admin._runner.app)) as client:
        yield client


async def told(client: TestClient, token: str) -> list[str]:  # type: ignore[type-arg]
    texts = []
    for path in ("/readyz", "/metrics", "/v1/callbacks"):
        async with client.get(path, headers=shown(token)) as answer:
            assert answer.status == 200, path
            texts.append(await answer.text())
    return texts


@pytest.mark.loopback
async def test_what_smsbus_status_says_is_its_own_account_alone_and_all_of_it(client: TestClient) -> None:  # type: ignore[type-arg]
    ready, metrics, callbacks = await told(client, SHOPS)
    found = status(json.loads(ready), Metrics(metrics), json.loads(callbacks)["accounts"])

    assert [each.account for each in found.accounts] == ["shop"]
    assert [each.reason for each in found.degraded] == [*DEGRADED[:3]]
    assert all(name not in text for text in (ready, metrics, callbacks) for name in ("grizzly", "other", "published"))


@pytest.mark.loopback
async def test_the_operator_and_who_shows_no_token_are_told_as_before(client: TestClient) -> None:  # type: ignore[type-arg]
    ready, metrics, callbacks = await told(client, OURS)
    async with client.get("/metrics") as answer:
        bare = await answer.text()

    assert json.loads(ready)["degraded"] == [*DEGRADED]
    assert [each["account"] for each in json.loads(callbacks)["accounts"]] == ["shop", "other"]
    assert all("smsbus_published_total 7.0" in text and 'account="grizzly"' in text for text in (metrics, bare))
