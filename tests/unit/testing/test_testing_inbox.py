"""What a test's inbox does with the service's answers: nothing old, nothing twice, nothing lost."""

from collections.abc import Callable
from typing import Any

import pytest
from smsbus_testing import NoSms, event
from smsbus_testing.waiting import Answer, Ask, SmsbusError, Steps, Waiting

from schemas.messages import SmsReceived

NUMBER = "16470000000"


class Service:
    """Gives these answers, one after the other; a second passes with each."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[Ask] = []
        self.now = 0.0
        self._answers = list(answers)

    def run(self, steps: Steps[Any]) -> Any:
        try:
            ask = next(steps)
            while True:
                self.asked.append(ask)
                self.now += 1
                ask = steps.send(self._answers.pop(0) if self._answers else page())
        except StopIteration as end:
            return end.value


def page(*texts: str, code: str | None = None) -> Answer:
    items = [event(text=text, code=code, code_source="extracted" if code else None) for text in texts]
    return Answer(200, {"items": items, "cursor": f"after {len(texts)}"})


def begun(*answers: Answer, reveal: bool = True) -> tuple[Service, Waiting]:
    service = Service(Answer(200, {"cursor": "start"}), *answers)
    waiting = Waiting(NUMBER, reveal=reveal, clock=lambda: service.now)
    service.run(waiting.begin())
    return service, waiting


def test_each_sms_is_returned_once_and_what_did_not_match_waits_for_the_next_call() -> None:
    service, waiting = begun(page("first"), page("second"))

    assert service.run(waiting.sms(30, "second")).text == "second"
    assert service.run(waiting.sms(30)).text == "first"
    with pytest.raises(NoSms):
        service.run(waiting.sms(5))


def test_it_asks_from_the_cursor_of_the_set_up_on_and_for_its_number_alone() -> None:
    service, waiting = begun(page(), page("first"))
    service.run(waiting.sms(30))

    assert [ask.path for ask in service.asked] == ["/v1/cursor", "/v1/wait", "/v1/wait"]
    assert [ask.parameters["since"] for ask in service.asked[1:]] == ["start", "after 0"]
    assert {ask.parameters["recipient"] for ask in service.asked[1:]} == {NUMBER}
    assert all(1 <= int(ask.parameters["timeout"]) <= 55 for ask in service.asked[1:])


def test_a_code_is_that_of_the_next_sms_that_has_one() -> None:
    service, waiting = begun(page("hello"), page("code 1234", code="1234"))

    assert service.run(waiting.sms(30, with_code=True)).code == "1234"


def test_so_many_sms_come_in_order() -> None:
    service, waiting = begun(page("a"), page("b", "c"))

    assert [sms.text for sms in service.run(waiting.count(2, 30))] == ["a", "b"]
    assert service.run(waiting.sms(30)).text == "c"


def test_no_sms_is_asserted_and_one_that_came_is_shown() -> None:
    service, waiting = begun()
    service.run(waiting.none(3))
    other, with_one = begun(page("hello"))

    with pytest.raises(AssertionError, match=r"expected no SMS within 3 s at 16470000000; these came.*\n  'hello'"):
        other.run(with_one.none(3))


@pytest.mark.parametrize("seconds", [0, -1, 0.3])
def test_however_short_the_time_the_service_is_asked_once(seconds: float) -> None:
    service, waiting = begun(page("hello"))

    with pytest.raises(AssertionError, match="'hello'"):
        service.run(waiting.none(seconds))
    assert service.asked[-1].parameters["timeout"] == "1"


@pytest.mark.parametrize(
    ("reveal", "shown"),
    [(True, ["16470000000", "'wrong 5611'"]), (False, ["•••••••••00", "••••• ••••", "--sms-reveal"])],
)
def test_a_failure_lists_what_came_instead_masked_where_logs_may_be_public(reveal: bool, shown: list[str]) -> None:
    service, waiting = begun(page("wrong 5611"), reveal=reveal)

    with pytest.raises(NoSms) as failed:
        service.run(waiting.sms(5, "right"))

    assert all(each in str(failed.value) for each in shown), failed.value
    assert "an SMS that matches 'right' within 5 s" in str(failed.value)
    assert reveal or "5611" not in str(failed.value)


@pytest.mark.parametrize("down", [Answer(0, {"detail": "down"}), Answer(503, {"detail": "Kafka cannot be read."})])
def test_a_service_that_is_not_ready_is_asked_again_from_the_same_cursor(down: Answer) -> None:
    service, waiting = begun(down, down, page("first"))

    assert service.run(waiting.sms(30)).text == "first"
    assert {ask.parameters["since"] for ask in service.asked[1:]} == {"start"}


@pytest.mark.parametrize("down", [Answer(0, {"detail": "down"}), Answer(503, {"detail": "closing"})])
def test_a_request_that_is_sent_again_lasts_only_as_long_as_there_is_time(down: Answer) -> None:
    service, waiting = begun(*[down] * 5, page())

    service.run(waiting.none(15))

    assert [ask.parameters["timeout"] for ask in service.asked[1:7]] == ["15", "14", "13", "12", "11", "10"]


@pytest.mark.parametrize(
    "answer", [Answer(401, {"detail": "Send the admin token."}), Answer(400, {"detail": "recipient must be a number"})]
)
def test_a_refusal_is_said_in_the_service_s_words(answer: Answer) -> None:
    service, waiting = begun(answer)

    with pytest.raises(SmsbusError, match=str(answer.content["detail"])):
        service.run(waiting.sms(30))


def test_an_event_is_valid_has_its_own_id_and_every_field() -> None:
    made: Callable[..., SmsReceived] = SmsReceived.model_validate

    assert made(event()).text == "[jd] code is 5611"
    assert event()["id"] != event()["id"]
    assert event().keys() == SmsReceived.model_fields.keys()
    assert made(event(text=None, code=None, code_source=None)).code is None
    with pytest.raises(TypeError, match="SmsReceived has no txt"):
        event(txt="x")
