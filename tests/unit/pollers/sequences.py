"""What the providers answer poll by poll, and the events that must come of it (the sequences Q of providers.md 9.2).

An entry of `answers` comes five seconds after the one before it; `after(n, …)` comes n seconds after it. ASKED is our
own request for the next SMS, which the provider granted. Events: `code` or `text`, then a freshness that is not live.
"""

from dataclasses import dataclass, replace
from typing import Literal

from pollers.observation import (
    Ended,
    Gone,
    Last,
    Listing,
    NoCode,
    Observation,
    SeenSms,
    Trouble,
    Waiting,
    WaitingNext,
)

Asked = Literal["asked"]
ASKED: Asked = "asked"
WAIT = Waiting()
EMPTY = NoCode()
GONE = Gone()
THROTTLED = Trouble("throttled", "too_many_requests", 7.0)
TROUBLES = (
    Trouble("auth", "bad_key"),
    Trouble("transient", "html"),
    Trouble("transient", "empty"),
    THROTTLED,
    Trouble("denied", "no_balance"),
    Trouble("request_error", "bad_action"),
    Trouble("unrecognised", "unknown_token"),
)


@dataclass(frozen=True)
class After:
    seconds: float
    answer: Observation | Asked


@dataclass(frozen=True)
class Sequence:
    name: str
    answers: list[Observation | Asked | After]
    events: list[str]
    ended: str | None = None
    provider: str = "smsverified"
    kind: str = "activation"
    lifetime: float = 25 * 60.0
    history: Literal["emit", "skip"] = "emit"


def after(seconds: float, answer: Observation | Asked) -> After:
    return After(seconds, answer)


def ok(code: str | None, text: str | None = None, time: str | None = None) -> Last:
    return Last(SeenSms(code=code, text=text, time_raw=time))


def retry(code: str | None = None) -> WaitingNext:
    return WaitingNext(code)


def row(text: str, date: str | None = "2026-11-22 17:00:00", sender: str | None = "Telegram") -> SeenSms:
    return SeenSms(text=text, sender=sender, time_raw=date)


def rows(*listed: SeenSms) -> Listing:
    return Listing(tuple(listed))


A = row("Code 4821", "2026-11-22 16:00:00")
B = row("Code 9934", "2026-11-22 16:30:00")
C = row("Code 7777", "2026-11-22 17:21:00")
A_WITH_OFFSET = replace(A, time_raw="2026-11-22T16:00:00+00:00")
SECOND = replace(A)  # the same second, sender and text: a real second SMS of a long message

HANDLER_API = [
    Sequence("Q1 a level is one SMS", [WAIT, ok("1111"), ok("1111"), ok("1111")], ["1111"]),
    Sequence("Q2 retry, then another", [ok("1111"), ASKED, *[retry("1111")] * 2, ok("2222")], ["1111", "2222"]),
    Sequence("Q3 retry, then an equal one", [ok("1111"), ASKED, retry("1111"), ok("1111")], ["1111", "1111"]),
    Sequence("Q5 boundary missed, another code", [ok("1111"), ASKED, ok("2222")], ["1111", "2222"]),
    Sequence("Q6 boundary missed, equal code", [ok("1111"), ASKED, *[ok("1111")] * 40], ["1111"]),
    Sequence(
        "Q6 boundary missed, equal code, another text",
        [ok("1111", "Code 1111 for login"), ASKED, ok("1111"), ok("1111", "Code 1111 for payment")],
        ["1111", "1111"],
    ),
    Sequence("Q7 retry is the first answer ever", [retry("1111"), ok("2222")], ["1111 recovered", "2222"]),
    Sequence("Q8 troubles are no boundary", [ok("1111"), *TROUBLES, ok("1111")], ["1111"]),
    Sequence("Q10 gone", [GONE, after(15, GONE), after(15, GONE)], [], "gone"),
    Sequence("gone twice", [GONE, after(60, GONE), WAIT], []),
    Sequence("gone three times too quickly", [GONE, GONE, GONE, WAIT], []),
    Sequence("gone, at last", [GONE, GONE, GONE, after(20, GONE)], [], "gone"),
    Sequence("gone, but not in a row", [GONE, after(20, GONE), WAIT, after(20, GONE), ok("1111")], ["1111"]),
    Sequence("troubles do not break the row of gone", [GONE, THROTTLED, after(15, GONE), after(15, GONE)], [], "gone"),
    Sequence("Q11 a single flicker", [ok("1111"), WAIT, ok("1111")], ["1111"]),
    Sequence("a single flicker, a minute later", [ok("1111"), WAIT, after(90, ok("1111"))], ["1111"]),
    Sequence("two waits within a minute", [ok("1111"), WAIT, WAIT, after(54, ok("1111"))], ["1111"]),
    Sequence("two waits and a minute", [ok("1111"), WAIT, WAIT, after(55, ok("1111"))], ["1111", "1111"]),
    Sequence("many waits and a minute", [ok("1111"), *[WAIT] * 13, ok("1111")], ["1111", "1111"]),
    Sequence("two flickers", [ok("1111"), WAIT, ok("1111"), after(90, WAIT), ok("1111")], ["1111"]),
    Sequence(
        "two flickers, the second one long",
        [ok("1111"), WAIT, ok("1111"), after(90, WAIT), WAIT, ok("1111")],
        ["1111"],
    ),
    Sequence("another code after a flicker", [ok("1111"), WAIT, ok("2222")], ["1111", "2222"]),
    Sequence("our own request makes one wait a boundary", [ok("1111"), ASKED, WAIT, ok("1111")], ["1111", "1111"]),
    Sequence("Q14 an empty OK waits on", [EMPTY, EMPTY, ok("1111")], ["1111"]),
    Sequence("an empty OK is no boundary", [ok("1111"), EMPTY, EMPTY, after(90, ok("1111"))], ["1111"]),
    Sequence("an SMS without anything is an empty OK", [ok(None), ok(""), ok("1111")], ["1111"]),
    Sequence("Q15 the last poll", [*[after(60, WAIT)] * 24, after(60, ok("1111"))], ["1111"], "expired"),
    Sequence("a poll at the deadline without an SMS", [WAIT, after(1495, WAIT)], [], "expired"),
    Sequence("not yet", [WAIT, after(1494.9, WAIT)], []),
    Sequence("Q16 a bad key ends nothing", [Trouble("auth", "bad_key")] * 50, []),
    Sequence("ten bad actions end nothing", [Trouble("request_error", "bad_action")] * 50, []),
    Sequence("the provider is silent at the deadline", [WAIT, *[THROTTLED] * 30, after(1345, THROTTLED)], []),
    Sequence("the provider is silent for ever", [WAIT, after(2095, THROTTLED)], [], "expired"),
    Sequence("cancelled", [ok("1111"), Ended("cancelled"), ok("2222")], ["1111"], "cancelled"),
    Sequence("finished", [Ended("finished")], [], "finished"),
    Sequence("flapping within half a minute", [ok("1111"), ok("2222"), ok("1111"), ok("2222")], ["1111", "2222"]),
    Sequence(
        "an old code comes again later", [ok("1111"), ok("2222"), after(30, ok("1111"))], ["1111", "2222", "1111"]
    ),
    Sequence(
        "an old code at once, but after a boundary",
        [ok("1111"), ok("2222"), retry("2222"), ok("1111")],
        ["1111", "2222", "1111"],
    ),
    Sequence(
        "the boundary of before flaps", [ok("1111"), retry("1111"), ok("2222"), retry("1111"), ok("2222")],
        ["1111", "2222"],
    ),
    Sequence(
        "a retry with a code that was missed",
        [ok("1111"), retry("2222"), retry("2222"), ok("3333")],
        ["1111", "2222 recovered", "3333"],
    ),
    Sequence(
        "a missed code while the next is waited for",
        [ok("1111"), retry("1111"), retry("2222"), ok("2222")],
        ["1111", "2222 recovered", "2222"],
    ),
    Sequence(
        "a retry with a code of long ago is a boundary only",
        [ok("1111"), ok("2222"), after(40, retry("1111")), ok("2222")],
        ["1111", "2222", "2222"],
    ),
    Sequence(
        "equal codes with boundaries in quick succession",
        [retry("1111"), ok("1111"), retry("1111"), ok("1111")],
        ["1111 recovered", "1111", "1111"],
    ),
    Sequence("a bare retry", [retry(), ok("1111"), retry(), ok("1111")], ["1111", "1111"]),
    Sequence("stale after our request, then new", [ok("1111"), ASKED, ok("1111"), ok("2222")], ["1111", "2222"]),
    Sequence("a code with zeros in front", [ok("001234"), retry("001234"), ok("001234")], ["001234", "001234"]),
    Sequence(
        "a sentence in the place of the code is the same SMS",
        [ok("Your Telegram code is 852508"), ok("852508"), retry("852508")],
        ["852508"],
    ),
    Sequence(
        "a code that the published text contains",
        [ok(None, "Use 1111 or 2222"), ok("2222"), ok("1111"), retry("1111"), ok("1111")],
        ["Use 1111 or 2222", "1111"],
    ),
    Sequence("part of a number is no code", [ok(None, "Use 91111 or 22"), ok("1111")], ["Use 91111 or 22", "1111"]),
    Sequence("live after ten minutes of looking", [*[after(60, WAIT)] * 15, ok("1111")], ["1111"]),
    Sequence("nobody looked for long", [WAIT, after(910, ok("1111")), ok("2222")], ["1111 recovered", "2222"]),
    Sequence("never looked at for long", [after(601, ok("1111"))], ["1111 recovered"]),
    Sequence("silence is no boundary", [ok("1111"), after(1200, ok("1111"))], ["1111"]),
]  # fmt: skip

T1, T2, T3 = "2026-02-26 12:05:55", "2026-02-26 12:06:30", "2026-02-26 12:09:00"
V2_1, V2_2 = ok("8525", "Code 8525", T1), ok("8525", "Code 8525", T2)
BARE_1, BARE_2, BARE_3 = ok("8525", None, T1), ok("8525", None, T2), ok("8525", None, T3)
OFFSET, MILLISECONDS = ok("8525", None, "2026-02-26T12:05:55+00:00"), ok("8525", None, "2026-02-26T12:05:55.123Z")
ROW_1, ROW_2 = row("Code 8525", T1), row("Code 8525", T2)
STATUS_V2 = [
    Sequence("V2: a level is one SMS", [V2_1] * 3, ["8525"]),
    Sequence("Q6 V2: the time differs", [V2_1, V2_2], ["8525", "8525"]),
    Sequence("V2: an equal time is stale after a boundary", [BARE_1, retry("8525"), BARE_1], ["8525"]),
    Sequence("V2: an offset is no other time", [BARE_1, OFFSET, MILLISECONDS], ["8525"]),
    Sequence("V1, then V2, then V2 with another time", [ok("8525"), V2_1, BARE_2], ["8525", "8525"]),
    Sequence("V2, then V1", [V2_1, ok("8525"), V2_1], ["8525"]),
    Sequence("V2 without a code", [ok(None, "Code 8525", T1), ok("8525"), ok("", "Code 8525", T1)], ["8525"]),
    Sequence("V2: flapping to an earlier time", [BARE_1, BARE_2, BARE_1], ["8525", "8525"]),
    Sequence("V2: an equal code and a later time, again", [BARE_1, BARE_2, BARE_3], ["8525"] * 3),
    Sequence("V2: flapping, then it stays", [BARE_1, BARE_2, BARE_1, after(30, BARE_1)], ["8525"] * 3),
    Sequence("V2: an old code with a later time", [BARE_1, ok("1111", None, T2), BARE_3], ["8525", "1111", "8525"]),
    Sequence("V2: a list", [rows(row("Code 1111", T1), row("Code 2222", T2)), ok("2222")], ["1111", "2222"]),
    Sequence("V2: a list that grows", [ok("8525"), *[rows(ROW_1, ROW_2)] * 3], ["8525", "8525"]),
    Sequence("V2: a list of one", [rows(ROW_1), rows(ROW_2), rows(ROW_2)], ["8525", "8525"]),
    Sequence(
        "a text that comes later is remembered",
        [ok("8525"), ok("8525", "Code 8525 a"), ok("8525", "Code 8525 b")],
        ["8525"] * 2,
    ),
    Sequence("the text grew at its end", [ok("8525", "Code 8525"), ok("8525", "Code 8525. Tell nobody.")], ["8525"]),
]

RENTS = [
    Sequence("Q20 the index shifts", [WAIT, rows(A), rows(A, B), rows(A, B)], ["Code 4821", "Code 9934"]),
    Sequence("Q21 the first poll", [rows(A, B)], ["Code 4821 history", "Code 9934 history"]),
    Sequence("the first poll, then one more", [rows(A), rows(A, B)], ["Code 4821 history", "Code 9934"]),
    Sequence("troubles are no first poll", [THROTTLED, EMPTY, rows(A)], ["Code 4821"]),
    Sequence("gone is no first poll", [GONE, rows(A)], ["Code 4821 history"]),
    Sequence("history is skipped", [rows(A, B), rows(A, B, C)], ["Code 7777"], history="skip"),
    Sequence("dated after the opening: not skipped", [rows(A, C)], ["Code 7777 history"], history="skip"),
    Sequence("without a date: skipped", [rows(row("Code 1234", None))], [], history="skip"),
    Sequence("Q24 the key test is the key text", [WAIT, rows(A), rows(replace(A))], ["Code 4821"]),
    Sequence("twice in a second", [WAIT, rows(A), rows(A, SECOND), rows(A, SECOND)], ["Code 4821", "Code 4821"]),
    Sequence("an empty list between", [WAIT, rows(A), rows(), WAIT, rows(A)], ["Code 4821"]),
    Sequence("a shorter list between", [WAIT, rows(A, B), rows(B), rows(A, B)], ["Code 4821", "Code 9934"]),
    Sequence("the order of the list", [WAIT, rows(A, B), rows(B, A)], ["Code 4821", "Code 9934"]),
    Sequence("another spelling of the date", [WAIT, rows(A), rows(A_WITH_OFFSET)], ["Code 4821"]),
    Sequence("another sender", [WAIT, rows(A), rows(A, replace(A, sender="Viber"))], ["Code 4821"] * 2),
    Sequence("only the last one is shown", [WAIT, *map(Last, (A, A, B))], ["Code 4821", "Code 9934"]),
    Sequence("an empty SMS", [WAIT, rows(row(""))], [""]),
    Sequence("nobody looked for long", [WAIT, after(700, rows(A))], ["Code 4821 recovered"]),
    Sequence("ended", [rows(A), Ended("finished")], ["Code 4821 history"], "finished"),
    Sequence("in its grace", [WAIT, after(1500, rows(A)), after(500, rows(A))], ["Code 4821 recovered"]),
    Sequence("the grace is over", [WAIT, after(2095, rows(A))], ["Code 4821 recovered"], "expired"),
    Sequence("gone", [rows(A), GONE, after(15, GONE), after(15, GONE)], ["Code 4821 history"], "gone"),
]  # fmt: skip

SMSMAN = [
    Sequence("Q25 wait_sms is the boundary", [WAIT, ok("1243"), ok("1243"), ASKED, WAIT, ok("1243")], ["1243", "1243"]),
    Sequence("wait_sms is the boundary, whoever asked", [ok("1243"), WAIT, ok("1243")], ["1243", "1243"]),
    Sequence("Q26 not exists", [ok("1243"), GONE, after(15, GONE), after(15, GONE)], ["1243"], "gone"),
    Sequence("stale after retrysms", [ok("1243"), ASKED, ok("1243"), ok("1243")], ["1243"]),
    Sequence("the whole text in the place of the code", [ok("Hello from the bank")] * 3, ["Hello from the bank"]),
]  # fmt: skip

SEQUENCES = [
    *HANDLER_API,
    *(replace(each, provider="grizzlysms") for each in STATUS_V2),
    *(replace(each, kind="rent", provider="grizzlysms") for each in RENTS),
    *(replace(each, provider="smsman") for each in SMSMAN),
]
