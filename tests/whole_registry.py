"""A registry with every collector of the program: of parts that do not run, and each of its families has a sample."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from pydantic import SecretStr

from app import wiring
from app.degraded import DegradedReasons
from app.forwards import Forwarding
from app.lifecycle import new_registry
from app.loop_lag import LoopLag
from app.notify.channel import Channel, ChannelMetrics
from app.process import now_ms
from app.quiet_accounts import QuietAccounts
from app.reloading.hangup import HangUp
from app.reloading.reload import Reload, ReloadMetrics
from app.settings.load import Settings, reader
from app.settings.sections import Account
from app.wiring import Polling
from app.workers.metrics import WorkerMetrics
from app.workers.worker_process import Worker
from bus.kafka.topics_reader import Part
from bus.kafka_bus import KafkaBus
from bus.metrics import BusMetrics
from bus.settings import BusSettings
from bus.unknown_shapes import UnknownShapes
from forwarding.settings import ForwardSettings
from forwarding.signature import new_secret
from providers.http_client import HttpClient
from receiver.server import CallbackServer

DEGRADED = ("account_paused:market", "forward_waiting:hook", "takes_nothing:sms.received.v1:NotEnoughReplicas")


def settings_with_everything(directory: Path) -> Settings:
    hook = ForwardSettings(url=SecretStr("https://example.org/hook"), secret=SecretStr(new_secret()))
    return Settings(
        data_dir=directory,
        bus=BusSettings(journal_dir=directory / "journal"),
        accounts={
            "shop": Account(provider="pingme", callback_tokens=(SecretStr("t" * 30),), quiet_after=3600),
            "market": Account(provider="grizzlysms", api_key=SecretStr("k" * 30)),
        },
        forwards={"hook": hook},
    )


async def whole_registry(directory: Path, stack: AsyncExitStack, *, happened: bool = True) -> CollectorRegistry:
    """Return it; `stack` closes in the end what has to be closed. `happened`: everything has that can be counted."""
    settings, registry = settings_with_everything(directory), new_registry()
    bus = KafkaBus(settings.kafka, settings.bus, instance="this")
    shapes = UnknownShapes(bus, registry, now_ms=now_ms)
    polling = wiring.polling(settings, bus, registry, shapes, stack)
    server = wiring.callback_server(settings, bus, registry, shapes, shared=False)
    forwarding = Forwarding(settings, registry, stack)
    client = await stack.enter_async_context(HttpClient())
    url = SecretStr("https://example.org")
    wiring.inbox(settings, registry)
    BusMetrics(bus, registry)
    LoopLag(registry)
    QuietAccounts(lambda: settings, "all", registry)
    ReloadMetrics(Reload(settings, reader(), HangUp()), registry)
    DegradedReasons(lambda: DEGRADED if happened else (), registry)
    WorkerMetrics([Worker("pollers", ())], registry)
    ChannelMetrics(Channel("notify", url, client), Channel("heartbeat", url, client), registry)

    if happened:
        _happen(bus, server, polling, forwarding)
    return registry


def _happen(bus: KafkaBus, server: CallbackServer, polling: Polling, forwarding: Forwarding) -> None:
    bus.producer_failures["KafkaTimeoutError"] = bus.over_share["shop"] = 1
    bus._journals.disk_free_bytes = 1
    for use in server.token_uses():
        server.intake.last_used[use.fingerprint] = 1.0
    account = polling.poller.accounts["market"]
    account.outcomes["waiting"] = account.answered_at = account.found_at = 1
    (hook,) = forwarding.forwards
    hook.failures["http_503"] = hook.sent_at = 1
    polling._balances._amounts["market"] = 1.0
    part = Part("sms.received.v1", 0)
    share = SimpleNamespace(part=part, end=1, next=0, waiting_since_ms=0)
    hook._reader = SimpleNamespace(shares={part: share}, retention_ms={part.topic: 1})


def labels_by_name(families: list[Metric]) -> Mapping[str, set[str]]:
    """Return the labels of each of our metrics, by the name that the page has for it: of histograms without ending."""
    found: dict[str, set[str]] = {}
    for family in families:
        ending = {"counter": "_total", "info": "_info"}.get(family.type, "")
        if family.name.startswith("smsbus_"):
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            found[family.name + ending] = labels
    return found


def sample_names(families: list[Metric]) -> set[str]:
    """Return the names of all samples, as queries have them."""
    return {sample.name for family in families for sample in family.samples}
