"""What a replay would do, counted before anything is published."""

from app.rejected.letters import Wanted
from app.rejected.parsing import Outcome
from app.rejected.replaying import Plan
from tests.messages import sms
from tests.unit.app.rejected.rejected_letters import refused

ONE, TWO = sms(n=1), sms(n=2)


def test_the_same_sms_of_two_letters_is_published_once() -> None:
    plan = Plan()

    plan.add("a", [Outcome(ONE), Outcome(TWO)])
    plan.add("b", [Outcome(ONE), Outcome(None, "not_json")])

    assert plan.as_json() == {"letters": 2, "sms": [ONE.id, TWO.id], "already": 0, "failing": {"not_json": 1}}


def test_what_is_on_the_topic_already_is_left_out_and_counted() -> None:
    plan = Plan()
    plan.add("a", [Outcome(ONE), Outcome(TWO)])

    plan.leave({ONE.id, "another"})

    assert plan.as_json() == {"letters": 1, "sms": [TWO.id], "already": 1, "failing": {}}


def test_letters_are_selected_by_id_reason_and_account() -> None:
    letter = refused(b"hello")

    assert Wanted().takes(letter)
    assert Wanted(frozenset({letter.id}), "not_json", "shop").takes(letter)
    for other in (Wanted(frozenset({"x"})), Wanted(reason="too_many"), Wanted(account="other")):
        assert not other.takes(letter)
