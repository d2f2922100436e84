"""Which SMS an order will receive, and when: given explicitly, or drawn from a distribution."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.pingme_callbacks import nonce

Curve = Literal["early", "tail", "mixture"]

TEXTS: Final = (
    "Your {service} code is {code}. ref {nonce}",
    "{code} is your verification code, do not share it. ref {nonce}",
    "Ваш код подтверждения: {code}. Никому его не сообщайте. ref {nonce}",
    "【{service}】验证码 {code}，请勿泄露给他人。ref {nonce}",
    "認証コード：{code}\r\n有効期限は10分です。 ref {nonce} ",
    "😀 رمز التحقق الخاص بك هو {code} ref {nonce}",
)
SENDERS: Final = ("66846426435", "14165550123", "22395", "WhatsApp", "InfoSMS")


class PlannedSms(BaseModel):
    """One planned SMS, in a scenario or in a request for an order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    """Seconds after the order was opened; negative: it is history."""
    code: Annotated[str, Field(min_length=1)] | None = None
    """None: generated, different from all other codes of the order."""
    equal: bool = False
    """It has the code of the SMS before it."""
    text: str | None = None
    """Taken literally, except `{code}` and `{nonce}`. None: generated."""
    sender: str | None = None


@dataclass(frozen=True)
class Written:
    """The content of an SMS."""

    at: float
    code: str
    text: str
    sender: str
    nonce: str | None
    """The letters after `ref`; None where the plan's own text has none."""


def delay(curve: Curve, rng: Random) -> float:
    """Return the delay of an SMS in seconds: mostly within half a minute, or late, or a mixture of three to one."""
    if curve == "mixture":
        curve = "early" if rng.random() < 0.75 else "tail"
    if curve == "early":
        return rng.lognormvariate(math.log(12.0), 0.5)
    return min(rng.lognormvariate(math.log(120.0), 1.0), 3600.0)


def drawn(count: int, *, curve: Curve, pace: float, rng: Random) -> list[PlannedSms]:
    """Return a plan of so many SMS with drawn delays in between; `pace` multiplies the delays."""
    at = 0.0
    plan = []
    for _ in range(count):
        at += delay(curve, rng) * pace
        plan.append(PlannedSms(at=at))
    return plan


def written(plan: Sequence[PlannedSms], *, service: str, taken: set[str], rng: Random) -> list[Written]:
    """Return the SMS of a plan in order of arrival; generated codes are added to `taken`."""
    ready: list[Written] = []
    taken.update(planned.code for planned in plan if planned.code is not None)
    for planned in sorted(plan, key=lambda planned: planned.at):
        code = ready[-1].code if planned.equal and ready else planned.code or _fresh_code(taken, rng)
        ready.append(_write(planned, code, service, rng))
    return ready


def _write(planned: PlannedSms, code: str, service: str, rng: Random) -> Written:
    template = rng.choice(TEXTS).replace("{service}", service) if planned.text is None else planned.text
    letters = nonce(rng)
    text = template.replace("{code}", code).replace("{nonce}", letters)
    sender = rng.choice(SENDERS) if planned.sender is None else planned.sender
    return Written(planned.at, code, text, sender, letters if "{nonce}" in template else None)


def _fresh_code(taken: set[str], rng: Random) -> str:
    """Return a realistic code: a string, some with leading zeros, some with letters.

    No code contains another: a search for a code in texts could find the wrong one.
    """
    while True:
        digits = rng.choice((4, 5, 6, 6, 6, 6))
        code = f"{rng.randrange(10**digits):0{digits}d}"
        code = f"G-{code}" if digits == 6 and rng.random() < 0.1 else code
        if not any(code in other or other in code for other in taken):
            taken.add(code)
            return code
