"""Which SMS an order will receive, and when: said explicitly, or drawn from a curve."""

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
    """One SMS as a scenario, or a request for an order, plans it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    """Seconds after the order was opened; below zero, it is history."""
    code: Annotated[str, Field(min_length=1)] | None = None
    """Without one, a code is made up that no other SMS of the order has."""
    equal: bool = False
    """It has the code of the SMS before it."""
    text: str | None = None
    """Taken literally, but for `{code}` and `{nonce}`. Without one, a text is made up."""
    sender: str | None = None


@dataclass(frozen=True)
class Written:
    """What an SMS will say."""

    at: float
    code: str
    text: str
    sender: str
    nonce: str | None
    """The letters after `ref`; None where the plan's own text has none."""


def delay(curve: Curve, rng: Random) -> float:
    """Return after how many seconds an SMS comes: most within half a minute, or late, or three early and one late."""
    if curve == "mixture":
        curve = "early" if rng.random() < 0.75 else "tail"
    if curve == "early":
        return rng.lognormvariate(math.log(12.0), 0.5)
    return min(rng.lognormvariate(math.log(120.0), 1.0), 3600.0)


def drawn(count: int, *, curve: Curve, pace: float, rng: Random) -> list[PlannedSms]:
    """Return a plan of so many SMS, each that much after the one before; `pace` multiplies the curve's seconds."""
    at = 0.0
    plan = []
    for _ in range(count):
        at += delay(curve, rng) * pace
        plan.append(PlannedSms(at=at))
    return plan


def written(plan: Sequence[PlannedSms], *, service: str, taken: set[str], rng: Random) -> list[Written]:
    """Write the SMS of a plan in their order of arrival; codes that were made up are added to `taken`."""
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
    """Return a code as services send them: strings, some with leading zeros, some with letters.

    None is part of another: who looks for a code in texts may find the one in the other.
    """
    while True:
        digits = rng.choice((4, 5, 6, 6, 6, 6))
        code = f"{rng.randrange(10**digits):0{digits}d}"
        code = f"G-{code}" if digits == 6 and rng.random() < 0.1 else code
        if not any(code in other or other in code for other in taken):
            taken.add(code)
            return code
