"""What `smsbus wait` does with each answer: ask again, open a watch, go on or give up. Time is virtual."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from app import waiting
from app.service import Answer, NotReached, ServiceError
from app.waiting import Unavailable, Wanted, WatchEnded, WrongQuestion, came_before, wait_for
from schemas.identity import watch_id as id_of_watch
from tests.virtual_time import virtual

NUMBER = Wanted({"recipient": "16470000000"})
ORDER = Wanted({"account": "shop", "order_id": "7"})
BLIND = Answer(503, {"reason": "inbox_blind", "detail": "Kafka cannot be read now."})
UNKNOWN = Answer(404, {"reason": "unknown_watch", "detail": "This order is not watched."})
ENDED = Answer(410, {"reason": "watch_ended", "detail": "The watch ended (expired)."})
AWAY_KAFKA = Answer(503, {"reason": "kafka_away", "detail": "Kafka did not confirm the request."})
OPENED = Answer(201, {"watch_id": "w"})
AWAY = NotReached("no smsbus service responds")


def page(*texts: str, cursor: str = "c1", **more: Any) -> Answer:
    items = [{"text": text, "observed_at": f"2026-11-30T08:20:5{number}.000Z"} for number, text in enumerate(texts)]
    return Answer(200, {"items": items, "cursor": cursor, **more})


NOTHING_YET = page(cursor="c0")


class Scripted:
    """A service that gives these answers, one after the other."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.timeouts: list[str] = []
        self._answers = list(answers)

    async def get(self, path: str, parameters: dict[str, str] | None = None) -> Answer:
        await asyncio.sleep(0)
        return self._answer(path, parameters or {})

    async def post(self, path: str, content: dict[str, str]) -> Answer:
        return self._answer(path, content)

    def _answer(self, path: str, parameters: dict[str, str]) -> Answer:
        self.timeouts += [value for name, value in parameters.items() if name == "timeout"]
        self.asked.append((path, {name: value for name, value in parameters.items() if name != "timeout"}))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def found(service: Scripted, wanted: Wanted, say: Callable[[str], None] = lambda _: None) -> str:
    event = await wait_for(service, wanted, 60, say)  # type: ignore[arg-type]
    assert event is not None
    return str(event["text"])


@virtual
async def test_a_number_is_waited_for_from_the_cursor_of_a_first_answer_that_comes_soon() -> None:
    service = Scripted(NOTHING_YET, page(), page("code 1"))

    assert await found(service, NUMBER) == "code 1"
    assert [parameters.get("since") for _, parameters in service.asked] == [None, "c0", "c1"]
    assert service.timeouts == ["1", "55", "55"]


WATCHED = Wanted({"watch_id": "w"})


@pytest.mark.parametrize(
    ("wanted", "since"),
    [
        (NUMBER, [None, "1s", "2s", "3s", "c1"]),
        (ORDER._replace(rent=True), [None, "1s", "2s", "3s", "c1"]),
        (Wanted({"recipient": "1", "since": "3s"}), ["3s", "4s", "5s", "6s", "c1"]),
        (Wanted({"watch_id": "w", "since": "3s"}), ["3s", "4s", "5s", "6s", "c1"]),
        (Wanted({"recipient": "1", "since": "30d"}), ["30d", "30d", "30d", "30d", "c1"]),
        (Wanted({"recipient": "1", "since": "c0"}), ["c0", "c0", "c0", "c0", "c1"]),
        (WATCHED, [None, None, None, None, "c1"]),
        (ORDER, [None, None, None, None, "c1"]),
    ],
    ids=["number", "rent", "since", "watch since", "long ago", "cursor", "watch", "order"],
)
@virtual
async def test_what_came_before_the_first_answer_is_not_missed(wanted: Wanted, since: list[str | None]) -> None:
    service = Scripted(AWAY, BLIND, AWAY, page(), page("code 1"))

    assert await found(service, wanted) == "code 1"
    assert [parameters.get("since") for _, parameters in service.asked] == since


@virtual
async def test_a_service_that_is_killed_in_the_first_long_request_is_waited_for() -> None:
    class Killed(Scripted):
        async def get(self, path: str, parameters: dict[str, str] | None = None) -> Answer:
            if len(self.asked) == 1:
                await asyncio.sleep(12)
            return await super().get(path, parameters)

    for wanted in (NUMBER, ORDER, WATCHED, ORDER._replace(rent=True)):
        assert await found(Killed(NOTHING_YET, *[AWAY] * 9, page("code 1")), wanted) == "code 1"


@virtual
async def test_after_an_outage_a_request_lasts_only_as_long_as_there_is_time() -> None:
    class Restarted(Scripted):
        """Nothing comes, and every answer takes its time."""

        async def get(self, path: str, parameters: dict[str, str] | None = None) -> Answer:
            await asyncio.sleep(float((parameters or {})["timeout"]))
            return await super().get(path, parameters)

    service = Restarted(NOTHING_YET, BLIND, page())

    assert await wait_for(service, NUMBER, 60, lambda _: None) is None  # type: ignore[arg-type]
    assert service.timeouts == ["1", "55", "3"]


@virtual
async def test_an_outage_of_the_service_or_of_kafka_is_waited_out_from_the_same_cursor_and_said_once() -> None:
    said: list[str] = []
    service = Scripted(NOTHING_YET, AWAY, AWAY, BLIND, page("code 1"))

    assert await found(service, NUMBER, said.append) == "code 1"
    assert {parameters["since"] for _, parameters in service.asked[1:]} == {"c0"}
    assert said == ["no smsbus service responds", "Kafka cannot be read now.", waiting.BACK]


@virtual
async def test_what_does_not_match_is_passed_by_cursor_or_by_sequence() -> None:
    match = re.compile("parcel")
    of_number = Scripted(page("code 1"), page("parcel 2"))
    of_order = Scripted(page("code 1", next_sequence=1), page("parcel 2", next_sequence=2))

    assert await found(of_number, NUMBER._replace(match=match)) == "parcel 2"
    assert await found(of_order, ORDER._replace(match=match)) == "parcel 2"
    assert of_number.asked[-1][1]["since"] == "c1"
    assert of_order.asked[-1][1] == ORDER.parameters | {"sequence": "1"}


@pytest.mark.parametrize(("rent", "kind"), [(False, "activation"), (True, "rent")])
@virtual
async def test_an_order_that_was_never_watched_is_watched(rent: bool, kind: str) -> None:
    service = Scripted(UNKNOWN, OPENED, UNKNOWN, OPENED, page("code 1", next_sequence=1))

    assert await found(service, ORDER._replace(rent=rent)) == "code 1"
    assert service.asked[1] == ("/v1/watches", {**ORDER.parameters, "order_kind": kind})


@virtual
async def test_a_rent_is_waited_for_by_its_watch_since_an_activation_may_have_the_same_id() -> None:
    service = Scripted(page("code 1"))
    watch_id = id_of_watch("shop", "rent", "7")

    assert await found(service, Wanted({"account": "shop", "order_id": "7", "contains": "x"}, rent=True)) == "code 1"
    assert service.asked == [("/v1/wait", {"account": "shop", "watch_id": watch_id, "contains": "x"})]


@pytest.mark.parametrize(
    ("number", "known", "said"),
    [
        (None, {}, ", without its number: where the provider does not name it, its SMS do not either (--number NUMBER"),
        ("48500100200", {"recipient": "48500100200"}, ""),
    ],
)
@virtual
async def test_who_opens_a_watch_is_told_so_and_whether_its_number_is_known(
    number: str | None, known: dict[str, str], said: str
) -> None:
    heard: list[str] = []
    service = Scripted(UNKNOWN, OPENED, page("code 1", next_sequence=1))

    assert await found(service, ORDER._replace(number=number), heard.append) == "code 1"
    assert service.asked[1][1] == {**ORDER.parameters, "order_kind": "activation", **known}
    assert len(heard) == 1
    assert heard[0].startswith(f"shop 7 was not watched: it is from now on{said}")


@virtual
async def test_an_outage_while_a_watch_is_opened_is_waited_out() -> None:
    service = Scripted(UNKNOWN, AWAY, UNKNOWN, AWAY_KAFKA, UNKNOWN, OPENED, page("code 1", next_sequence=1))

    assert await found(service, ORDER) == "code 1"


@virtual
async def test_a_watch_that_ended_is_not_opened_again() -> None:
    with pytest.raises(WatchEnded, match="expired"):
        await found(Scripted(ENDED), ORDER)


@pytest.mark.parametrize(
    "answers",
    [
        [Answer(409, {"reason": "account_paused", "detail": "no"})],
        [Answer(403, {"reason": "other_account", "detail": "no"})],
        [UNKNOWN, Answer(400, {"reason": "unknown_account", "detail": "no"})],
    ],
)
@virtual
async def test_what_will_not_get_better_is_not_asked_again(answers: list[Answer]) -> None:
    with pytest.raises(ServiceError, match="no"):
        await found(Scripted(*answers), ORDER)


@virtual
async def test_a_watch_id_that_is_unknown_cannot_be_opened() -> None:
    with pytest.raises(ServiceError, match="not watched"):
        await found(Scripted(UNKNOWN), Wanted({"watch_id": "w"}))


@virtual
async def test_nothing_in_time_is_none() -> None:
    assert await wait_for(Scripted(*[page()] * 9), NUMBER, 0, print) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "answers"),
    [
        (NUMBER, [BLIND]),
        (NUMBER, [NOTHING_YET, BLIND]),
        (NUMBER, [NOTHING_YET, AWAY]),
        (ORDER, [BLIND]),
        (ORDER, [UNKNOWN, AWAY_KAFKA]),
    ],
)
@virtual
async def test_nothing_in_time_is_not_known_where_the_time_is_over_in_an_outage(
    wanted: Wanted, answers: list[Answer | Exception]
) -> None:
    with pytest.raises(Unavailable, match=r"^(Kafka cannot be read|Kafka did not confirm|no smsbus service responds)"):
        await wait_for(Scripted(*answers), wanted, 1, lambda _: None)  # type: ignore[arg-type]


@virtual
async def test_a_service_that_does_not_answer_by_then_has_not_said_that_nothing_came() -> None:
    class Silent(Scripted):
        async def get(self, path: str, parameters: dict[str, str] | None = None) -> Answer:
            return await asyncio.get_running_loop().create_future()

    with pytest.raises(Unavailable, match="did not answer in time"):
        await wait_for(Silent(), ORDER, 0, print)  # type: ignore[arg-type]


@virtual
async def test_an_order_that_is_watched_as_the_time_is_over_has_had_nothing() -> None:
    assert await wait_for(Scripted(UNKNOWN, OPENED), ORDER, 0, lambda _: None) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(("seconds", "timeouts"), [(120, ["1", "55"]), (20, ["1", "20"]), (1, ["1", "1"])])
@virtual
async def test_a_request_lasts_no_longer_than_there_is_time(seconds: float, timeouts: list[str]) -> None:
    service = Scripted(page(next_sequence=0), page("code 1"))

    await wait_for(service, ORDER, seconds, print)  # type: ignore[arg-type]

    assert service.timeouts == timeouts


@virtual
async def test_an_sms_without_a_code_is_passed_by_where_one_is_wanted() -> None:
    uncoded, coded = {"text": "hello", "code": None}, {"text": "code 1", "code": "1"}
    service = Scripted(Answer(200, {"items": [uncoded], "cursor": "c1"}), Answer(200, {"items": [coded]}))

    assert await found(service, NUMBER._replace(codes=True)) == "code 1"
    assert "has_code" not in service.asked[-1][1]  # a cursor of a list without it would be of other filters


@virtual
async def test_an_sms_that_is_passed_by_is_said() -> None:
    heard: list[str] = []
    uncoded, coded = {"text": "hello", "code": None}, {"text": "code 1", "code": "1"}
    service = Scripted(Answer(200, {"items": [uncoded], "cursor": "c1"}), Answer(200, {"items": [coded]}))
    await found(service, NUMBER._replace(codes=True), heard.append)
    await found(Scripted(page("no"), page("code 1")), NUMBER._replace(match=re.compile("code")), heard.append)

    assert heard == [waiting.NO_CODE, waiting.NO_MATCH]


@virtual
async def test_who_was_told_of_an_outage_is_told_of_its_end() -> None:
    heard: list[str] = []

    assert await found(Scripted(NOTHING_YET, AWAY, page("code 1")), NUMBER, heard.append) == "code 1"
    assert heard == [str(AWAY), waiting.BACK]


@virtual
async def test_a_service_that_was_never_there_is_given_up_after_a_while_without_a_word() -> None:
    class Away(Scripted):
        def _answer(self, path: str, parameters: dict[str, str]) -> Answer:
            self.asked.append((path, parameters))
            raise AWAY

    service, heard = Away(), list[str]()

    with pytest.raises(NotReached):
        await found(service, NUMBER, heard.append)
    assert len(service.asked) == 7  # at once, and each second until more than STARTING has passed
    assert heard == []


@pytest.mark.parametrize("reason", ["invalid_query", "cursor_of_other_filters"])
@virtual
async def test_a_wrong_question_is_not_asked_again(reason: str) -> None:
    with pytest.raises(WrongQuestion, match="so it is"):
        await found(Scripted(Answer(400, {"reason": reason, "detail": "so it is"})), NUMBER)


RENT = ORDER._replace(rent=True)
NEWEST = "--since 2026-11-30T08:20:51.000Z"
AT_ONCE = [{"text": text, "observed_at": "2026-11-30T08:20:52.000Z"} for text in ("code 1", "code 2")]


@pytest.mark.parametrize(
    ("wanted", "answer", "since"),
    [
        (NUMBER, page("code 1", "code 2"), NEWEST),
        (RENT, page("code 1", "code 2"), NEWEST),
        (NUMBER._replace(match=re.compile("2")), page("code 1", "code 2", "code 3"), NEWEST),
        (NUMBER, Answer(200, {"items": AT_ONCE}), None),
        (NUMBER, page(), None),
        (NUMBER._replace(match=re.compile("parcel")), page("code 1"), None),
        (NUMBER, AWAY, None),
        (ORDER, page("code 1"), None),
        (Wanted({**NUMBER.parameters, "since": "10m"}), page("code 1"), None),
    ],
)
@virtual
async def test_what_came_shortly_before_a_wait_is_found_by_an_option(
    wanted: Wanted, answer: Answer | Exception, since: str | None
) -> None:
    assert await came_before(Scripted(answer), wanted, 120) == since  # type: ignore[arg-type]
