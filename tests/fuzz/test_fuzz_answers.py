"""Any answer of a provider: read without an exception, and garbage neither ends a watch nor makes an event."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from providers import PROVIDERS
from providers.client import Another, Client
from providers.http_client import FetchFailed, RawResponse
from providers.observation import Observation, ProviderError, SeenSms, Unfinished
from providers.pingme import PingMeControl
from providers.results import Action, ActResult
from schemas.messages import WatchEnded
from tests.fuzz import material
from tests.fuzz.budget import TIMEOUT, fuzzed
from tests.fuzz.parts import NOW_MS
from tests.fuzz.watching import Poller, ended

pytestmark = pytest.mark.timeout(TIMEOUT)

PARSERS: Final[Sequence[Callable[[RawResponse], object]]] = [
    endpoint.parse for client in (*PROVIDERS.values(), PingMeControl) for endpoint in client.endpoints.values()
]
STATUSES: Final = (200,) * 8 + (100, 204, 206, 301, 400, 401, 403, 404, 409, 418, 429, 500, 503, 599)
WAITS: Final = ("0", "-1", "1e9", "9" * 400, "Fri, 31 Dec 9999 23:59:59 -9999", "Mon, 0 Foo 0 0:0:0", "\udcff", "0.5")

TOKENS: Final = st.builds(
    lambda token, rest: f"{token}:{rest}".encode("utf-8", "surrogatepass"),
    st.sampled_from(material.TOKENS),
    st.text(max_size=30) | st.sampled_from(("1111", "", "'1'", "\ud800", "1" * 5000, "code 1111", ":" * 900)),
)
BODIES: Final = st.one_of(
    material.mutilated(st.sampled_from(material.BODIES)),
    material.retold(material.DOCUMENTS),
    material.json_bodies(material.KEYS),
    TOKENS,
    st.binary(max_size=30),
    material.NESTED,
    material.LONG,
)
HEADERS: Final = st.fixed_dictionaries(
    {}, optional={"retry-after": st.sampled_from(WAITS) | st.text(max_size=20), "content-type": st.text(max_size=9)}
)


def answers(statuses: Sequence[int], bodies: st.SearchStrategy[bytes]) -> st.SearchStrategy[RawResponse]:
    return st.builds(RawResponse, st.sampled_from(statuses), HEADERS, bodies, st.sampled_from((None, NOW_MS / 1000)))


# What a gateway says, and what it may have kept of a better day.
PROSE: Final = st.sampled_from(
    (
        b"Too Many Requests",
        b"error code: 1020",
        b"[]",
        b'{"request_id":"860","sms_code":"1111"}',
        b'{"request_id":"860","sms":[{"code":"1111","text":"1111"}]}',
        b'{"status":"success","values":{"0":{"text":"1111"}}}',
        b'{"sms":{"code":"1111","text":"1111"}}',
    )
)
PAGES: Final = st.binary(max_size=60).map(lambda rest: b"\xef\xbb\xbf <!DOCTYPE html>STATUS_CANCEL:" + rest)
BLANK: Final = st.sampled_from((b"", b" \r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"))
GARBAGE: Final = st.one_of(
    answers(STATUSES, PAGES | BLANK),
    answers((429, 500, 502, 503, 504, 520, 599), PAGES | BLANK | PROSE),
    st.sampled_from(("connect", "timeout", "reset", "truncated", "bad_http", "too_large")).map(FetchFailed),
)
ANY: Final = answers(STATUSES, BODIES) | GARBAGE


@fuzzed(800)
@given(answer=answers(STATUSES, BODIES))
def test_every_parser_reads_every_answer(answer: RawResponse) -> None:
    said = [parse(answer) for parse in PARSERS]

    assert None not in said


class Patient:
    """A client that asks for the rest of every answer, and has no text where there is trouble."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.alive = client.alive

    @property
    def has_full_text(self) -> bool:
        return self._client.has_full_text

    async def poll(self, order_kind: str, order_id: str) -> Observation:
        observation = await self._client.poll(order_kind, order_id)
        while isinstance(observation, Unfinished):
            observation = await self._client.poll(order_kind, order_id, observation)
        return observation

    async def full_text(self, order_id: str) -> SeenSms | None:
        full = await self._client.full_text(order_id)
        return None if isinstance(full, ProviderError) else full

    async def act(self, order_kind: str, order_id: str, action: Action) -> ActResult | ProviderError:
        result = await self._client.act(order_kind, order_id, action)
        if isinstance(result, Another):
            result = await self._client.act(order_kind, order_id, action, result.how)
        assert not isinstance(result, Another)
        return result


def patient(provider: str, kind: str, after_sms: str, v2: bool) -> Poller:
    poller: Any = Poller(provider, kind, after_sms, v2)
    poller.client = Patient(poller.client)
    return poller  # type: ignore[no-any-return]


POLLERS: Final = st.builds(
    patient,
    st.sampled_from(sorted(PROVIDERS)),
    st.sampled_from(("activation", "rent")),
    st.sampled_from(("keep", "request_next", "finish")),
    st.booleans(),
)
SHOWN: Final = {
    ("smsverified", "activation"): material.bodies_of({"smsverified"}, {"getStatus", "getFullSms"}),
    ("smsverified", "rent"): material.BODIES,
    ("grizzlysms", "activation"): material.bodies_of({"grizzly"}, {"getStatus", "getStatusV2"}),
    ("grizzlysms", "rent"): material.bodies_of({"grizzly-rent"}, {"getRentStatus"}),
    ("smsman", "activation"): material.bodies_of({"smsman"}, {"get-sms"}),
    ("smsman", "rent"): material.bodies_of({"smsman-rent"}, {"get-all-sms", "get-sms"}),
}


def _likely(bodies: list[bytes]) -> st.SearchStrategy[RawResponse | FetchFailed]:
    """What an order shows, told oddly; between it anything else."""
    shown = material.mutilated(st.sampled_from(bodies))
    if documents := list(material.documents(bodies)):
        shown = material.retold(documents) | shown
    return answers((200, 200, 200, 400, 503), shown) | answers((200,), shown) | ANY


LIKELY: Final = {order: _likely(bodies) for order, bodies in SHOWN.items()}


@st.composite
def looks(draw: st.DrawFn, poller: Poller) -> list[Any]:
    answer = LIKELY[poller.state.provider, poller.kind]
    return draw(st.lists(st.tuples(answer, answer, st.integers(0, 700_000)), max_size=8))


@fuzzed(800)
@given(poller=POLLERS, drawn=st.data())
def test_whatever_is_answered_the_messages_of_a_watch_can_be_published_and_its_state_restored(
    poller: Poller, drawn: st.DataObject
) -> None:
    for answer, full, after_ms in drawn.draw(looks(poller)):
        poller.look(answer, full, after_ms)

    event(f"{min(3, len(poller.messages))} messages")
    ends = [message for message in poller.messages if isinstance(message, WatchEnded)]
    assert len(ends) == (poller.state.ended is not None)
    if poller.kind == "activation":  # a rent forgets what was not shown for long, and then says it once more
        assert len({message.event_id for message in poller.messages}) == len(poller.messages)


@fuzzed(800)
@given(poller=POLLERS, garbage=st.lists(st.tuples(GARBAGE, GARBAGE, st.integers(0, 200_000)), min_size=1, max_size=8))
def test_garbage_teaches_nothing(poller: Poller, garbage: Any) -> None:
    before = poller.state

    for answer, full, after_ms in garbage:
        poller.look(answer, full, after_ms)

        assert isinstance(ended(poller.client.alive()), ProviderError)
        assert isinstance(ended(poller.client.act(poller.kind, "860", "cancel")), ProviderError | str)
    noted = {"answer": before.answer, "noted_ms": before.noted_ms, "revision": before.revision}
    assert (poller.messages, poller.state.having(**noted)) == ([], before)
