"""Both listeners against their own OpenAPI document: whatever is asked, they answer what it says they answer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from schemathesis.checks import CHECKS

from app.admin.inbox_query import LONGEST_WAIT
from pollers.watches.watch_listing import cursor
from schemas.timestamps import to_text
from tests.fuzz.admin_part import ADMIN_TOKEN, ENDED, NUMBER, OPEN, SMS, Internal, internal, with_watches
from tests.fuzz.budget import TIMEOUT, fuzzed
from tests.fuzz.parts import ACCOUNT, NOW_MS, TOKEN, Public, public
from tests.fuzz.wire import Reply, is_problem

pytestmark = pytest.mark.timeout(TIMEOUT)


def without_security(document: Any) -> Any:
    """Return the document of who shows the right token: schemathesis would make tokens up, and see nothing but 401."""
    for path in document["paths"].values():
        for operation in filter(lambda each: isinstance(each, dict), path.values()):
            operation.pop("security", None)
    return document


DOCUMENT: Final = without_security(
    json.loads((Path(__file__).parents[2] / "schemas" / "json" / "openapi.json").read_text())
)
SCHEMA: Final = schemathesis.openapi.from_dict(DOCUMENT)
CALLBACKS: Final = SCHEMA.include(path_regex="^/v1/pingme/")
LIVEZ: Final = SCHEMA.include(path="/livez")
# A stream has no end, and a fuzzer reads each answer to its end: it is only refused here. Frames: tests/unit/app/admin.
ADMIN: Final = SCHEMA.exclude(path_regex="^/v1/(pingme/|stream$)")
WATCHES: Final = SCHEMA.include(path_regex="^/v1/watches")
INBOX: Final = SCHEMA.include(path_regex="^/v1/(sms|cursor|wait|stream)")
GUARDED: Final = SCHEMA.include(path_regex="^/v1/(watches|sms|cursor|wait|stream)")

# The receiver takes what is no callback, too, and keeps it as a dead letter: that is its promise.
ANYTHING_IS_TAKEN: Final = CHECKS.get_one("negative_data_rejection")
# A valid question is refused where the account or the token is not ours.
VALID_IS_REFUSED: Final = CHECKS.get_one("positive_data_acceptance")
NO_FAULT: Final = CHECKS.get_one("not_a_server_error")  # but an honest 503 is one, see `says_why`
WRONG_METHOD: Final = CHECKS.get_one("unsupported_method")  # to strangers it is 401 like all else
RIGHT: Final = f"Bearer {ADMIN_TOKEN}"


def says_why(_: object, response: Any, __: object) -> None:
    """An error is a problem document, and 503 is the only one that is our own fault."""
    headers = {name.title(): values[0] for name, values in response.headers.items()}
    reply = Reply(response.status_code, headers, response.content)
    if reply.status != 503 or headers["Content-Type"].startswith("application/problem+json"):
        is_problem(reply, set(range(200, 500)) | {503})


def ask(case: Any, part: Public | Internal, *, excluded: tuple[Any, ...] = (), **headers: str) -> int:
    response = case.call_and_validate(
        base_url=f"http://127.0.0.1:{part.port}",
        headers=headers,
        excluded_checks=list(excluded),
        additional_checks=[says_why],
    )
    assert part.complaints.all == []
    status: int = response.status_code
    return status


@pytest.fixture(scope="module")
def receiver() -> Iterator[Public]:
    with public() as part:
        yield part


@pytest.fixture(scope="module")
def free() -> Iterator[Internal]:
    with internal() as part:
        yield with_watches(part)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Internal]:
    with internal() as part:
        yield with_watches(part)


@pytest.fixture(scope="module")
def unread() -> Iterator[Internal]:
    with internal(read=False) as part:
        yield part


@pytest.fixture(scope="module")
def away() -> Iterator[Internal]:
    with internal() as part:
        part.writer.away = True
        yield with_watches(part)


@CALLBACKS.parametrize()
@fuzzed(80)
def test_the_callback_url_answers_as_it_is_described(receiver: Public, case: Any) -> None:
    case.path_parameters["token"] = TOKEN

    assert ask(case, receiver, excluded=(ANYTHING_IS_TAKEN,)) in {200, 405}


@CALLBACKS.parametrize()
@fuzzed(40)
def test_a_wrong_callback_url_is_404_whatever_is_sent(receiver: Public, case: Any) -> None:
    before = list(receiver.bus.messages)

    assert ask(case, receiver, excluded=(ANYTHING_IS_TAKEN, VALID_IS_REFUSED)) in {404, 405}
    assert receiver.bus.messages == before


@LIVEZ.parametrize()
@fuzzed(20)
def test_livez_of_the_public_listener_answers_as_it_is_described(receiver: Public, case: Any) -> None:
    ask(case, receiver)


@ADMIN.parametrize()
@fuzzed(80)
def test_the_admin_listener_answers_as_it_is_described(free: Internal, case: Any) -> None:
    ours = {"account": ACCOUNT, "expires_at": to_text(NOW_MS)}  # a pattern cannot tell which days there are
    if isinstance(case.body, dict):
        case.body |= {name: value for name, value in ours.items() if isinstance(case.body.get(name), str)}
    if "id" in (case.path_parameters or {}):
        case.path_parameters["id"] = SMS.id if case.path == "/v1/sms/{id}" else OPEN
    if case.path in {"/v1/sms", "/v1/wait"}:
        answered_soon(case)
    if isinstance((case.query or {}).get("recipient"), str):  # nor what a letter is
        case.query["recipient"] = "".join(char for char in case.query["recipient"] if not char.isalpha())
    if case.path == "/v1/watches" and isinstance((case.query or {}).get("after"), str):
        case.query["after"] = cursor((NOW_MS, OPEN))

    # That a wait names a number or an order, and which of them is counted, no schema of single parameters says.
    ask(case, free, excluded=(VALID_IS_REFUSED,) if case.path == "/v1/wait" else (), Authorization=RIGHT)


def answered_soon(case: Any) -> None:
    """Wait a second at most, begin at a moment that there is, and wait for a number that has an SMS now and then."""
    query = case.query = case.query or {}
    if query.get("since") and isinstance(query["since"], str):
        query["since"] = "10m"
    if case.path != "/v1/wait":
        return
    if type(query.setdefault("timeout", 1)) is int and 0 < query["timeout"] <= LONGEST_WAIT:
        query["timeout"] = 1
    if isinstance(query.get("recipient"), str) and "1" in query["recipient"]:
        query["recipient"] = NUMBER


@WATCHES.parametrize()
@fuzzed(40)
def test_an_ended_watch_and_accounts_of_others_are_refused_as_it_is_described(guarded: Internal, case: Any) -> None:
    if "id" in (case.path_parameters or {}):
        case.path_parameters["id"] = ENDED

    ask(case, guarded, excluded=(VALID_IS_REFUSED,), Authorization=RIGHT)


@GUARDED.parametrize()
@pytest.mark.parametrize("shown", [None, "Bearer wrong", f"Basic {ADMIN_TOKEN}", f"Bearer {ADMIN_TOKEN}x", "Bearer "])
@fuzzed(15)
def test_without_the_token_watches_and_inbox_are_closed(guarded: Internal, shown: str | None, case: Any) -> None:
    headers = {} if shown is None else {"Authorization": shown}
    case.headers.pop("Authorization", None)

    assert ask(case, guarded, excluded=(VALID_IS_REFUSED, WRONG_METHOD), **headers) == 401


@WATCHES.parametrize()
@fuzzed(15)
def test_until_the_watches_are_read_the_answer_is_503(unread: Internal, case: Any) -> None:
    assert ask(case, unread, excluded=(VALID_IS_REFUSED, NO_FAULT), Authorization=RIGHT) in {503, 405}


@INBOX.parametrize()
@fuzzed(15)
def test_until_the_topics_are_read_the_answer_is_503(unread: Internal, case: Any) -> None:
    assert ask(case, unread, excluded=(VALID_IS_REFUSED, NO_FAULT), Authorization=RIGHT) in {503, 405}


@WATCHES.parametrize()
@fuzzed(15)
def test_while_kafka_is_away_what_would_be_written_is_503(away: Internal, case: Any) -> None:
    if "id" in (case.path_parameters or {}):
        case.path_parameters["id"] = OPEN

    assert ask(case, away, excluded=(VALID_IS_REFUSED, NO_FAULT), Authorization=RIGHT) not in {201, 202}
