"""What the providers answer poll by poll, and the events that must come of it (Q: docs/providers.md 5.6).

An entry of `answers` comes five seconds after the one before it; `after(n, …)` comes n seconds after it. ASKED is our
own request for the next SMS, which the provider granted. Events: `code` or `text`, then a freshness that is not live.
"""

from dataclasses import dataclass, replace
from typing import Literal

from providers.observation import (
    Ended,
    Gone,
    Last,
    Listing,
    NoCode,
    Observation,
    ProviderError,
    SeenSms,
    Waiting,
    WaitingNext,
)

Asked = Literal["asked"]
ASKED: Asked = "asked"
WAIT = Waiting()
EMPTY = NoCode()
GONE = Gone()
THROTTLED = ProviderError("throttled", "too_many_requests", 7.0)
ERRORS = (
    ProviderError("auth", "bad_key"),
    ProviderError("transient", "html"),
    ProviderError("transient", "empty"),
    THROTTLED,
    ProviderError("denied", "no_balance"),
    ProviderError("request_error", "bad_action"),
    ProviderError("unrecognised", "unknown_token"),
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


def rows(*listed: SeenSms, complete: bool = True) -> Listing:
    return Listing(tuple(listed), complete)


def page(*listed: SeenSms) -> Listing:
    return rows(*listed, complete=False)


A = row("Code 4821", "2026-11-22 16:00:00")
B = row("Code 9934", "2026-11-22 16:30:00")
C = row("Code 7777", "2026-11-22 17:21:00")
OLD_A, OLD_B = replace(A, time_raw="2026-11-21 16:00:00"), replace(B, time_raw="2026-11-22 05:18:59")
AHEAD = row("Code 1234", "2026-11-22 19:00:00")
MANY = [row(f"Code {1000 + place}", f"2026-11-{8 + place // 3:02} 10:00:{place:02}") for place in range(12)]
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
    Sequence("Q8 troubles are no boundary", [ok("1111"), *ERRORS, ok("1111")], ["1111"]),
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
    Sequence("Q16 a bad key ends nothing", [ProviderError("auth", "bad_key")] * 50, []),
    Sequence("ten bad actions end nothing", [ProviderError("request_error", "bad_action")] * 50, []),
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
    Sequence("part of a number is no code", [ok(None, "Use 91111 or 22"), ok("1111")], ["91111", "1111"]),
    Sequence("live after ten minutes of looking", [*[after(60, WAIT)] * 15, ok("1111")], ["1111"]),
    Sequence("nobody looked for long", [WAIT, after(910, ok("1111")), ok("2222")], ["1111 recovered", "2222"]),
    Sequence("never looked at for long", [after(601, ok("1111"))], ["1111 recovered"]),
    Sequence("silence is no boundary", [ok("1111"), after(1200, ok("1111"))], ["1111"]),
]  # fmt: skip

T1, T2, T3 = "2026-11-22 17:20:01", "2026-11-22 17:20:36", "2026-11-22 17:23:06"
T1_MOSCOW, T1_IST = "2026-11-22 20:20:01", "2026-11-22 22:50:01"
V2_1, V2_2 = ok("8525", "Code 8525", T1), ok("8525", "Code 8525", T2)
BARE_1, BARE_2, BARE_3 = ok("8525", None, T1), ok("8525", None, T2), ok("8525", None, T3)
OFFSET, MILLISECONDS = ok("8525", None, "2026-11-22T17:20:01+00:00"), ok("8525", None, "2026-11-22T17:20:01.123Z")
ROW_1, ROW_2 = row("Code 8525", T1), row("Code 8525", T2)
V2_1_MOSCOW = ok("8525", "Code 8525", T1_MOSCOW)
V2_FIRST, V2_SECOND = ok("1111", "Code 1111", T1), ok("2222", "Code 2222", T2)
OLD, YESTERDAY = "2026-11-22 17:00:00", "2026-11-22 05:00:00"
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
    Sequence("V2: an earlier time is never new", [BARE_1, BARE_2, BARE_1, after(30, BARE_1)], ["8525"] * 2),
    Sequence(
        "V2: a lagging node shows the SMS before, again and again",
        [V2_FIRST, V2_SECOND, *[after(40, V2_FIRST), after(40, V2_SECOND)] * 3],
        ["1111", "2222"],
    ),
    Sequence(
        "V2: two nodes print one SMS in UTC and in Moscow time",
        [V2_1, *[after(40, V2_1_MOSCOW), after(40, V2_1)] * 3],
        ["8525"],
    ),
    Sequence("V2: two nodes in two zones, Moscow first", [V2_1_MOSCOW, V2_1, V2_1_MOSCOW], ["8525"]),
    Sequence("V2: two nodes in two zones, and no text", [BARE_1, ok("8525", None, T1_MOSCOW), BARE_1], ["8525"]),
    Sequence(
        "V2: whole hours apart, but another text",
        [V2_1, ok("8525", "Code 8525 again", T1), ok("8525", "8525 is your code", T1_MOSCOW)],
        ["8525"] * 2,
    ),
    Sequence("V2: half an hour is no zone of the providers'", [BARE_1, ok("8525", None, T1_IST)], ["8525"] * 2),
    Sequence(
        "V2: an earlier time of a code that is new", [ok("8525", None, T2), ok("1111", None, T1)], ["8525", "1111"]
    ),
    Sequence("V2: older than the watch at the first look", [ok("8525", None, OLD)], ["8525 history"]),
    Sequence("V2: hardly older than the watch", [ok("8525", None, "2026-11-22 17:19:01")], ["8525"]),
    Sequence("V2: ahead of us says nothing of the age", [ok("8525", None, T1_MOSCOW)], ["8525"]),
    Sequence("V2: an assumed zone is not believed against our own look", [WAIT, ok("8525", None, OLD)], ["8525"]),
    Sequence("V2: a stated zone is", [WAIT, ok("8525", None, f"{OLD}Z")], ["8525 history"]),
    Sequence(
        "V2: stated, after the opening, and long before the last look",
        [*[after(60, WAIT)] * 15, ok("8525", None, f"{T1}Z")],
        ["8525 recovered"],
    ),
    Sequence(
        "V2: history is skipped, if it is that in every zone, and does not come again",
        [ok("8525", None, YESTERDAY), after(90, ok("8525", None, YESTERDAY)), retry("8525"), BARE_3],
        ["8525"],
        history="skip",
    ),
    Sequence("V2: today's is not skipped", [ok("8525", None, OLD)], ["8525 history"], history="skip"),
    Sequence("nothing is skipped that has no time", [ok("8525")], ["8525"], history="skip"),
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
    Sequence("history is skipped", [rows(OLD_A, OLD_B), rows(OLD_A, OLD_B, C)], ["Code 7777"], history="skip"),
    Sequence("history is skipped on a later page, too", [page(C), rows(OLD_A, C)], ["Code 7777"], history="skip"),
    Sequence("dated after the opening: not skipped", [rows(OLD_A, C)], ["Code 7777"], history="skip"),
    Sequence(
        "it may be later than the opening, in another zone: not skipped",
        [rows(A)],
        ["Code 4821 history"],
        history="skip",
    ),
    Sequence("without a date: not skipped", [rows(row("Code 1234", None))], ["Code 1234 history"], history="skip"),
    Sequence("stated, and older: skipped", [rows(A_WITH_OFFSET)], [], history="skip"),
    Sequence(
        "stated in the second of the opening: not skipped",
        [rows(row("Code 1234", "2026-11-22T17:19:59+00:00"))],
        ["Code 1234"],
        history="skip",
    ),
    Sequence(
        "it came after the opening and before the first poll",
        [after(180, rows(A, C))],
        ["Code 4821 history", "Code 7777"],
    ),
    Sequence("the same, long before the first poll", [after(700, rows(C))], ["Code 7777 recovered"]),
    Sequence("a date ahead of us at the first poll says nothing", [rows(AHEAD)], ["Code 1234 history"]),
    Sequence(
        "a page that failed brings old SMS later: they are not live",
        [page(B), rows(A, B), rows(A, B, C)],
        ["Code 9934 history", "Code 4821 history", "Code 7777"],
    ),
    Sequence(
        "a page that failed when an SMS came",
        [rows(*MANY), page(*MANY[-9:], C), rows(*MANY, C)],
        [*(f"{each.text} history" for each in MANY), "Code 7777"],
    ),
    Sequence("an answer with the last one only forgets nothing", [rows(*MANY), Last(C), rows(*MANY, C)],
        [*(f"{each.text} history" for each in MANY), "Code 7777"],
    ),
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
