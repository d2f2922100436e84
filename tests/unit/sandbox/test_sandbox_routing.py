"""A world that is asked without a network: what HTTP would say, and how it would fail."""

import asyncio
import json

import pytest
from pydantic import SecretStr

from providers import PROVIDERS
from providers.http_client import FetchFailed, RawResponse
from providers.observation import Last, SeenSms, Unfinished
from sandbox.routing import BASES, respond
from sandbox.settings import Fault

ONE = [{"code": "877613"}]


def respond_to(providers, provider, action, **query):
    """Ask as the network does: bad days are drawn, and what arrives whole is in the book."""
    said = respond(providers.world, *providers.question(provider, action, **query))
    if said.fault is None:
        providers.world.book.written(said.response, providers.clock.now())
    return said


def test_an_answer_has_all_that_http_needs_and_is_in_the_book_once_it_was_written(asked):
    providers = asked()
    order = providers.open("smsverified", sms=ONE)

    said = respond(providers.world, *providers.question("smsverified", "getStatus", id=order.id))
    before = order.sms[0].shows
    providers.world.book.written(said.response, providers.clock.now())

    assert (said.response.status, said.response.body, said.fault) == (200, "STATUS_OK:877613", None)
    assert said.response.headers == {"Content-Type": "text/html; charset=UTF-8"}
    assert (before, order.sms[0].shows) == (0, 1)


def test_there_is_nothing_at_other_paths(asked):
    providers = asked()

    assert respond(providers.world, "/smsman/control/get-all-sms", {}) is None
    assert respond(providers.world, "/", {}) is None


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"kind": "429", "retry_after": 7}, 429, "Too Many Requests"),
        ({"kind": "html"}, 200, "<!DOCTYPE html>"),
        ({"kind": "empty"}, 200, ""),
        ({"kind": "5xx", "status": 503, "retry_after": 7}, 503, "<html>"),
        ({"kind": "wrong_key"}, 200, "BAD_KEY"),
    ],
)
def test_a_refused_question_has_no_effect_and_shows_nothing(asked, fault, status, body):
    providers = asked()
    order = providers.open("grizzlysms", sms=ONE)
    providers.world.add_fault(Fault(**fault))

    respond_to(providers, "grizzlysms", "setStatus", id=order.id, status="6")
    said = respond_to(providers, "grizzlysms", "getStatus", id=order.id)
    providers.world.clear_faults()

    assert (said.response.status, said.response.body[: len(body)]) == (status, body)
    assert bool(said.response.body) == bool(body)
    assert said.response.headers.get("Retry-After") == ("7" if "retry_after" in fault else None)
    assert order.sms[0].shows == 0
    assert respond_to(providers, "grizzlysms", "getStatus", id=order.id).response.body == "STATUS_OK:877613"


@pytest.mark.parametrize("kind", ["reset", "truncated", "slow"])
def test_an_answer_that_suffers_on_its_way_is_told_and_the_question_had_its_effect(asked, kind):
    providers = asked()
    order = providers.open("grizzlysms", sms=ONE)
    providers.world.add_fault(Fault(kind=kind))

    said = respond_to(providers, "grizzlysms", "setStatus", id=order.id, status="3")
    providers.world.clear_faults()

    assert (said.fault.kind, said.response.body) == (kind, "ACCESS_RETRY_GET")
    assert respond_to(providers, "grizzlysms", "getStatus", id=order.id).response.body == "STATUS_WAIT_RETRY:877613"


@pytest.mark.parametrize(("kind", "action"), [("activation", "control/get-sms"), ("rent", "rent-api/get-all-sms")])
def test_on_a_foreign_day_sms_man_answers_for_another_open_order_and_shows_nothing(asked, kind, action):
    providers = asked()
    asked_for, other = (providers.open("smsman", kind, sms=[{"code": code}]) for code in ("1111", "2222"))
    providers.world.add_fault(Fault(kind="foreign"))

    said = json.loads(respond_to(providers, "smsman", action, request_id=asked_for.id).response.body)

    assert said["request_id"] == int(other.id)
    assert "2222" in json.dumps(said)
    assert [sms.shows for sms in (*asked_for.sms, *other.sms)] == [0, 0]
    assert providers.world.book.faults == {("smsman", "foreign"): 1}


def test_a_foreign_day_leaves_alone_what_it_could_end_and_what_has_no_neighbour(asked):
    providers = asked()
    order = providers.open("smsman", sms=ONE)
    ended = providers.open("smsman", sms=ONE, lifetime=1)
    providers.later(1)
    providers.world.add_fault(Fault(kind="foreign"))

    shown = respond_to(providers, "smsman", "control/get-sms", request_id=order.id).response.body
    closed = respond_to(providers, "smsman", "control/set-status", request_id=order.id, status="close").response.body

    assert "877613" in shown
    assert f'"request_id":{order.id}' in closed
    assert respond_to(providers, "smsverified", "getStatus", id="1").response.body == "NO_ACTIVATION"
    assert ended.sms[0].shows == 0


class WorldFetcher:
    """Puts a world behind a client of ours: what HTTP would bring, or how it would fail."""

    def __init__(self, providers):
        self.providers = providers
        self.asked = 0

    async def get(self, url):
        self.asked += 1
        said = respond(self.providers.world, url.path, url.query)
        if said.fault is not None:
            raise FetchFailed({"slow": "timeout"}.get(said.fault.kind, said.fault.kind))
        self.providers.world.book.written(said.response, self.providers.clock.now())
        headers = {name.lower(): value for name, value in said.response.headers.items()}
        return RawResponse(said.response.status, headers, said.response.body.encode(), self.providers.clock.now())


def polled(providers, provider):
    fetcher = WorldFetcher(providers)
    base_url = f"http://sandbox{BASES[provider]}"
    key = SecretStr(providers.world.accounts[provider].settings.key)
    return PROVIDERS[provider](api_key=key, base_url=base_url, fetcher=fetcher), fetcher


def run(coroutine):
    return asyncio.run(coroutine)


def test_a_client_of_ours_hears_in_the_list_that_an_sms_came_and_that_the_next_is_awaited(asked):
    providers = asked()
    order = providers.open("grizzlysms", sms=[{"at": 5, "code": "1111"}])
    client, _ = polled(providers, "grizzlysms")

    heard = [run(client.active())]
    providers.later(5)
    heard.append(run(client.active()))
    assert run(client.act("activation", order.id, "next")) == "done"
    heard.append(run(client.active()))
    assert run(client.act("activation", order.id, "finish")) == "done"

    assert [set(rows) for rows in heard] == [{order.id}] * 3
    assert len({rows[order.id] for rows in heard}) == 3
    assert run(client.active()) == {}


def test_a_client_of_ours_reads_a_rent_to_its_last_page(asked):
    providers = asked(grizzlysms={"odd": 1, "page": 10})
    order = providers.open("grizzlysms", "rent", sms=[{"at": -n, "text": f"n {n}"} for n in range(25)])
    client, fetcher = polled(providers, "grizzlysms")

    observation, pages = run(client.poll("rent", order.id)), 1
    while isinstance(observation, Unfinished):
        observation, pages = run(client.poll("rent", order.id, observation)), pages + 1

    assert [sms.text for sms in observation.sms] == [f"n {n}" for n in range(24, -1, -1)]
    assert (observation.complete, pages, fetcher.asked) == (True, 3, 3)


def test_a_client_of_ours_falls_back_where_v2_is_not_offered(asked):
    providers = asked(grizzlysms={"status_v2": False, "active_list": False})
    order = providers.open("grizzlysms", sms=ONE)
    client, _ = polled(providers, "grizzlysms")

    refused = run(client.poll("activation", order.id))

    assert run(client.poll("activation", order.id, refused)) == Last(SeenSms("877613"))
    assert run(client.active()).code == "bad_action"


def test_a_client_of_ours_drops_what_is_another_orders(asked):
    providers = asked()
    order, _ = providers.open("smsman", sms=ONE), providers.open("smsman", sms=[{"code": "2222"}])
    client, _ = polled(providers, "smsman")
    providers.world.add_fault(Fault(kind="foreign"))

    foreign = run(client.poll("activation", order.id))
    providers.world.clear_faults()

    assert foreign.code == "other_order"
    assert run(client.poll("activation", order.id)).sms.code == "877613"


@pytest.mark.parametrize("kind", ["reset", "truncated", "slow", "html", "empty", "5xx", "429"])
def test_a_client_of_ours_learns_nothing_on_a_bad_day(asked, kind):
    providers = asked()
    order = providers.open("smsverified", sms=ONE)
    client, _ = polled(providers, "smsverified")
    providers.world.add_fault(Fault(kind=kind))

    observation = run(client.poll("activation", order.id))

    assert (observation.kind, observation.answered) == ("throttled" if kind == "429" else "transient", False)
    assert order.sms[0].shows == 0
