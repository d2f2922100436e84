"""What a receiver has at the moment: connections, requests in flight, and what each account has sent."""

from prometheus_client import CollectorRegistry

from receiver.auth import Caller, fingerprint
from receiver.server import CallbackServer
from receiver.server_metrics import ServerMetrics
from tests.unit.receiver.test_new_accounts import NEW, NOW_MS, OLD, OTHER, SMS, Clocks, account, receiver


class Open:
    """A connection, as `receiver.connections.Connections` needs it."""

    def idle_since(self) -> float | None:
        return None

    def abort(self) -> None:
        pass


def exported(some: CallbackServer) -> CollectorRegistry:
    registry = CollectorRegistry()
    ServerMetrics(some, registry)
    return registry


def test_connections_and_requests_are_those_that_are_open() -> None:
    some = receiver(account("shop", OLD))
    registry, connection = exported(some), Open()
    some._connections.add(connection)
    some.intake.begin()

    names = ("smsbus_connections", "smsbus_callbacks_in_flight")
    assert [registry.get_sample_value(name) for name in names] == [1, 1]

    some._connections.discard(connection)
    some.intake.end()

    assert [registry.get_sample_value(name) for name in names] == [0, 0]


async def test_an_account_s_bytes_and_its_last_callback_are_by_any_of_its_tokens() -> None:
    clocks = Clocks()
    some = receiver(account("shop", NEW, OLD), account("other", OTHER), clocks=clocks)
    registry = exported(some)
    for token in (OLD, NEW, OLD):
        clocks.pass_by(60)
        caller = Caller("shop", None, fingerprint(token))
        some.intake.callbacks(some.intake.allowances["shop"], caller, "", SMS)

    def of(name: str) -> list[float | None]:
        return [registry.get_sample_value(name, {"account": each}) for each in ("shop", "other")]

    assert of("smsbus_callback_bytes_total") == [3 * len(SMS), 0]
    assert of("smsbus_callback_last_timestamp_seconds") == [NOW_MS / 1000 + 180, None]
