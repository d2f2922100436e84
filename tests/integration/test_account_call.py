"""`smsbus account call` against a provider that answers on loopback: printed, priced, refused, and never repeated."""

import asyncio
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
import typer
from typer.testing import CliRunner, Result

from app.cli import account, cli, purchase
from app.cli import watch as watch_commands
from app.cli.exit import Code
from bus.kafka import topics
from bus.kafka.client import KafkaAway
from bus.settings import KafkaSettings
from pollers.watches.watch_table import WatchTable
from schemas.messages import Watch
from tests.kafka_fixtures import TestKafka

pytestmark = pytest.mark.usefixtures("process_is_restored")
KEY = "planted-key-5e1f"
PRICES = '{"12":{"tg":{"count":831358,"cost":0.35,"retry":0}}}'
BUY = ("getNumber", "service=tg", "country=12")

Answer = Callable[[str], str | None]


@contextmanager
def provider(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """Answers by action or path; None: closes the connection without a word."""
    asked: list[str] = []

    class Http(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            action = parse_qs(parts.query).get("action", [parts.path])[0]
            asked.append(action)
            said = answer(action)
            if said is None:
                self.close_connection = True
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Http)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def grizzly(monkeypatch: pytest.MonkeyPatch, root: str) -> None:
    monkeypatch.setenv("SMSBUS_ACCOUNTS__POOL__PROVIDER", "grizzlysms")
    monkeypatch.setenv("SMSBUS_ACCOUNTS__POOL__API_KEY", KEY)
    monkeypatch.setenv("SMSBUS_ACCOUNTS__POOL__BASE_URL", f"{root}/stubs/handler_api.php")


def called(*arguments: str, typed: str | None = None) -> Result:
    result = CliRunner().invoke(cli, ["account", "call", *arguments], input=typed)
    assert KEY not in result.output + result.stderr + repr(result.exception)
    return result


def selling(order: str | None) -> Answer:
    return {"getPrices": PRICES, "getNumber": order, "getBalance": "ACCESS_BALANCE:1.50"}.__getitem__


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "is_terminal", lambda: True)


def test_what_is_free_is_called_at_once_and_printed_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    with provider(selling(None)) as (root, asked):
        grizzly(monkeypatch, root)
        result = called("pool", "getBalance")

    assert result.exit_code == Code.OK
    assert json.loads(result.stdout) == {"answer": "balance", "amount": "1.50", "details": {}}
    assert asked == ["getBalance"]


def test_a_purchase_shows_its_price_and_waits_for_a_yes(monkeypatch: pytest.MonkeyPatch, at_a_terminal: None) -> None:
    with provider(selling("ACCESS_NUMBER:38496653:66846426435")) as (root, asked):
        grizzly(monkeypatch, root)
        result = called("pool", *BUY, typed="y\n")

    assert result.exit_code == Code.OK
    assert "costs money; the price is 0.35" in result.stderr
    assert json.loads(result.stdout)["order_id"] == "38496653"
    assert asked == ["getPrices", "getNumber"]


@pytest.mark.parametrize("typed", ["n\n", "\n", ""])
def test_without_a_yes_nothing_is_bought(monkeypatch: pytest.MonkeyPatch, at_a_terminal: None, typed: str) -> None:
    with provider(selling("ACCESS_NUMBER:38496653:66846426435")) as (root, asked):
        grizzly(monkeypatch, root)
        result = called("pool", *BUY, typed=typed)

    assert result.exit_code == Code.FAILED
    assert result.stdout == ""
    assert asked == ["getPrices"]


def test_without_a_terminal_the_price_is_shown_and_nothing_is_bought(monkeypatch: pytest.MonkeyPatch) -> None:
    with provider(selling("ACCESS_NUMBER:38496653:66846426435")) as (root, asked):
        grizzly(monkeypatch, root)
        result = called("pool", *BUY)

    assert result.exit_code == Code.USAGE
    assert "the price is 0.35" in result.stderr
    assert "--yes" in result.stderr
    assert asked == ["getPrices"]


def test_with_yes_nobody_is_asked_but_the_price_is_still_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with provider(selling("ACCESS_NUMBER:38496653:66846426435")) as (root, asked):
        grizzly(monkeypatch, root)
        result = called("pool", *BUY, "--yes")

    assert result.exit_code == Code.OK
    assert "the price is 0.35" in result.stderr
    assert asked == ["getPrices", "getNumber"]


def test_a_price_that_cannot_be_had_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    with provider({"getPrices": "BAD_ACTION", "getNumber": "ACCESS_NUMBER:1:2"}.__getitem__) as (root, _):
        grizzly(monkeypatch, root)
        result = called("pool", *BUY, "--yes")

    assert result.exit_code == Code.OK
    assert "price unknown" in result.stderr


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("NO_NUMBERS", "no_numbers (there is no number"),
        ("NO_BALANCE", "not enough money"),
        ("WRONG_MAX_PRICE:0.5", "maxPrice"),
        ("BAD_KEY", "the key is wrong"),
        ("BAD_SERVICE", "no such service"),
    ],
)
def test_a_refusal_is_its_token_in_words(monkeypatch: pytest.MonkeyPatch, token: str, words: str) -> None:
    with provider(selling(token)) as (root, _):
        grizzly(monkeypatch, root)
        result = called("pool", *BUY, "--yes")

    assert (result.exit_code, result.stdout) == (Code.FAILED, "")
    assert words in result.stderr
    assert "may have been bought" not in result.stderr


@pytest.mark.parametrize("order", [None, "ERROR_SQL", "", "<html>"])
def test_a_purchase_without_a_clear_answer_is_not_tried_again_and_says_so(
    monkeypatch: pytest.MonkeyPatch, order: str | None
) -> None:
    with provider(selling(order)) as (root, asked):
        grizzly(monkeypatch, root)
        result = called("pool", *BUY, "--yes")

    assert result.exit_code == Code.FAILED
    assert "not tried again: it may have been bought" in result.stderr
    assert asked.count("getNumber") == 1


def test_a_purchase_that_timed_out_is_not_tried_again_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(account, "PATIENCE", 0.3)

    def slow(action: str) -> str | None:
        if action == "getNumber":
            answered.wait(10)
        return PRICES

    with provider(slow) as (root, asked):
        grizzly(monkeypatch, root)
        result = called("pool", *BUY, "--yes")
        answered.set()

    assert result.exit_code == Code.TIMED_OUT
    assert "not tried again: it may have been bought" in result.stderr
    assert asked.count("getNumber") == 1


def test_a_purchase_that_never_left_is_said_to_have_done_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with provider(selling(None)) as (root, _):
        grizzly(monkeypatch, root)
    result = called("pool", *BUY, "--yes")

    assert result.exit_code == Code.FAILED
    assert "nothing was done" in result.stderr
    assert "base_url" in result.stderr


def test_an_answer_that_nobody_knows_is_shown_without_the_key_and_without_control_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with provider(selling(f"The service is \x1b[31mprohibited for {KEY}")) as (root, _):
        grizzly(monkeypatch, root)
        result = called("pool", *BUY, "--yes")

    assert result.exit_code == Code.FAILED
    assert "The service is  [31mprohibited for …" in result.stderr
    assert "may have been bought" in result.stderr


def test_a_status_that_ended_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with provider(lambda _: "STATUS_CANCEL") as (root, _):
        grizzly(monkeypatch, root)
        result = called("pool", "getStatus", "id=7")

    assert json.loads(result.stdout) == {"answer": "ended", "reason": "cancelled"}


def test_an_order_that_is_not_known_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with provider(lambda _: "NO_ACTIVATION") as (root, _):
        grizzly(monkeypatch, root)
        result = called("pool", "setStatus", "id=7", "status=8")

    assert result.exit_code == Code.FAILED
    assert "does not know this order" in result.stderr


def test_a_rent_method_of_sms_man_goes_to_the_rent_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSBUS_ACCOUNTS__MEN__PROVIDER", "smsman")
    monkeypatch.setenv("SMSBUS_ACCOUNTS__MEN__API_KEY", KEY)
    with provider(lambda _: '{"balance":"799.70"}') as (root, asked):
        monkeypatch.setenv("SMSBUS_ACCOUNTS__MEN__BASE_URL", root)
        result = called("men", "rent:get-balance")

    assert json.loads(result.stdout)["amount"] == "799.70"
    assert asked == ["/rent-api/get-balance"]


def test_pingme_is_called_with_the_configured_user(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"PROVIDER": "pingme", "CALLBACK_TOKENS": "hunter2-hunter2-hunter2", "APP_KEY": KEY, "USER_ID": "xxx"}
    with provider(lambda _: '{"retcode":0,"retmsg":"success","result":{"number":16510000000,"price":0.5}}') as (
        root,
        asked,
    ):
        for name, value in {**settings, "BASE_URL": root}.items():
            monkeypatch.setenv(f"SMSBUS_ACCOUNTS__SHOP__{name}", value)
        result = called("shop", "lockNumber", "app=jd", "--yes")

    assert json.loads(result.stdout) == {"answer": "locked_number", "number": "16510000000", "price": "0.5"}
    assert "price unknown" in result.stderr
    assert asked == ["/thirdparty/lockNumber"]


def documents(text: str) -> list[dict[str, str]]:
    """Return the JSON documents that follow each other in a text."""
    found, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found


@pytest.fixture
def topics_of_ours(monkeypatch: pytest.MonkeyPatch, kafka: TestKafka, topic_prefix: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)
    asyncio.run(topics.create(settings))
    monkeypatch.setenv("SMSBUS_KAFKA__BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("SMSBUS_KAFKA__TOPIC_PREFIX", topic_prefix)
    return settings


def watched(settings: KafkaSettings) -> Watch:
    table = WatchTable(settings)
    asyncio.run(table.fill())
    (known,) = asyncio.run(table.listing()).watches
    assert known.watch is not None
    return known.watch


def test_a_bought_order_is_printed_and_then_watched_with_what_the_purchase_knew(
    monkeypatch: pytest.MonkeyPatch, topics_of_ours: KafkaSettings
) -> None:
    with provider(selling("ACCESS_NUMBER:38496653:66846426435")) as (root, _):
        grizzly(monkeypatch, root)
        result = called("pool", *BUY, "--yes", "--watch")

    order, watch = documents(result.stdout)
    record = watched(topics_of_ours)
    assert (order["order_id"], watch) == ("38496653", {"watch_id": record.watch_id})
    assert (record.order_id, record.recipient, record.service) == ("38496653", "66846426435", "tg")
    assert (record.expires_at, record.message_type) == (None, "sms")


def test_a_rent_is_watched_until_its_own_end_and_prolonged_with_it(
    monkeypatch: pytest.MonkeyPatch, topics_of_ours: KafkaSettings
) -> None:
    rent = '{"status": "success", "phone": {"id": "7", "endDate": "%s", "number": "66846426435"}}'
    rented, longer = rent % "2099-12-31T19:30:52", rent % "2099-12-31T23:30:52"
    answers = {"getRentPrices": PRICES, "getRentNumber": rented, "continueRentNumber": longer}
    monkeypatch.setenv("SMSBUS_ACCOUNTS__POOL__ZONE", "Europe/Moscow")
    monkeypatch.setattr(purchase, "LONGEST_MS", 100 * 366 * 86_400_000)
    with provider(answers.__getitem__) as (root, _):
        grizzly(monkeypatch, root)
        called("pool", "getRentNumber", "service=tg", "country=12", "rent_time=4", "--yes", "--watch")
        first = watched(topics_of_ours)
        called("pool", "continueRentNumber", "id=7", "rent_time=4", "--yes", "--watch")

    second = watched(topics_of_ours)
    assert (first.order_kind, first.expires_at) == ("rent", "2099-12-31T16:40:52.000Z")
    assert (second.watch_id, second.expires_at) == (first.watch_id, "2099-12-31T20:40:52.000Z")


@pytest.mark.parametrize(("activation_type", "message_type"), [("0", "sms"), ("1", "call"), ("2", "voice")])
def test_a_bought_call_is_watched_as_one(
    monkeypatch: pytest.MonkeyPatch, topics_of_ours: KafkaSettings, activation_type: str, message_type: str
) -> None:
    monkeypatch.setenv("SMSBUS_ACCOUNTS__CALLS__PROVIDER", "smsverified")
    monkeypatch.setenv("SMSBUS_ACCOUNTS__CALLS__API_KEY", KEY)
    answers = {"getPrices": "{}", "getCountries": "{}", "getNumber": "ACCESS_NUMBER:1:2"}
    with provider(answers.__getitem__) as (root, _):
        monkeypatch.setenv("SMSBUS_ACCOUNTS__CALLS__BASE_URL", f"{root}/stubs/handler_api.php")
        called(
            "calls", "getNumber", "service=vk", "country=48", f"activationType={activation_type}", "--yes", "--watch"
        )

    assert watched(topics_of_ours).message_type == message_type


@pytest.mark.parametrize("failure", [KafkaAway("no broker answers"), OSError("no disk"), typer.Exit(2)])
def test_what_was_bought_is_printed_and_the_command_that_watches_it_too_when_it_cannot_be_watched(
    monkeypatch: pytest.MonkeyPatch, topics_of_ours: KafkaSettings, failure: Exception
) -> None:
    async def fails(*_: object, **__: object) -> str:
        raise failure

    monkeypatch.setattr(watch_commands, "put", fails)
    with provider(selling("ACCESS_NUMBER:38496653:66846426435")) as (root, asked):
        grizzly(monkeypatch, root)
        result = called("pool", *BUY, "--yes", "--watch")

    assert result.exit_code == Code.FAILED
    assert [document["order_id"] for document in documents(result.stdout)] == ["38496653"]
    assert "activation 38496653 with the number 66846426435 was bought and is not watched" in result.stderr
    assert "smsbus watch add pool 38496653 --number=66846426435 --service=tg" in result.stderr
    assert asked.count("getNumber") == 1


def test_nothing_is_bought_where_it_could_not_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSBUS_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:9")
    with provider(selling("ACCESS_NUMBER:38496653:66846426435")) as (root, asked):
        grizzly(monkeypatch, root)
        result = called("pool", *BUY, "--yes", "--watch")

    assert result.exit_code == Code.FAILED
    assert "no Kafka broker answers" in result.stderr
    assert asked == []
