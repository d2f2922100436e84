"""What a simulated PingMe posts: the six documented keys, with realistic texts.

Every text ends in a nonce of letters only (`ref QXKVZBTR`): it identifies the SMS when a run is verified, and is never
mistaken for a code.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final, Literal

Kind = Literal["sms", "malformed"]

NONCE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
TEXTS: Final = (
    "[jd] code is {code}. ref {nonce}",
    "【京东】验证码 {code}，请勿泄露给他人。ref {nonce}",
    "Ваш код подтверждения: {code}. Никому его не сообщайте. ref {nonce}",
    "Votre code de vérification est {code}. ref {nonce}",
    "Tu código es {code} ¡no lo compartas! ref {nonce}",
    "認証コード：{code}\r\n有効期限は10分です。 ref {nonce}",
    "رمز التحقق الخاص بك هو {code} ref {nonce}",
    "आपका OTP {code} है। ref {nonce}",
    "G-{code} is your verification code. ref {nonce}",
    "😀 {code} is your login code\nDon't share it, ref {nonce}",
    'Your parcel "blue \\ red" arrives today: no code needed. ref {nonce}',
)
APPS: Final = ("jd", "wa", "tg", "go", "ub")
SENDERS: Final = ("14165550123", "+442079460123", "22395", "WhatsApp", "JD.com", "验证码", "")


@dataclass(frozen=True)
class Callback:
    """One POST; repeats send the same bytes."""

    nonce: str
    number: str
    kind: Kind
    body: bytes


def number(index: int) -> str:
    """Return the index-th number: digits without a plus, from the range reserved for fiction (NANP 555-01xx)."""
    area, line = divmod(index, 100)
    return f"1{201 + area}55501{line:02d}"


def sms(rng: Random, *, user_id: str, recipient: str, nonce: str, now: float) -> Callback:
    """Return a callback as documented; one in ten has its numbers as JSON integers, as in lockNumber's responses."""
    fields = _fields(rng, user_id=user_id, recipient=recipient, nonce=nonce, now=now)
    if rng.random() < 0.1:
        fields["to"] = int(recipient)
    body = json.dumps(fields, ensure_ascii=rng.random() < 0.5).encode()
    return Callback(nonce, recipient, "sms", body)


def malformed(rng: Random, *, user_id: str, recipient: str, nonce: str, now: float) -> Callback:
    """Return a body that is not a valid callback, in one of several ways."""
    fields = _fields(rng, user_id=user_id, recipient=recipient, nonce=nonce, now=now)
    text = json.dumps(fields)
    bodies = (
        text[: text.index(nonce) + len(nonce)],  # cut short
        text.replace('"', "“"),  # the quotes of the documentation page
        json.dumps({"data": fields}),
        json.dumps(fields | {"text": {"content": fields["text"]}}),
        json.dumps({key: value for key, value in fields.items() if key != "text"} | {"app": nonce}),
    )
    return Callback(nonce, recipient, "malformed", rng.choice(bodies).encode())


def nonce(rng: Random) -> str:
    """Return eight letters, one of 25 billion combinations."""
    return "".join(rng.choices(NONCE_LETTERS, k=8))


def _fields(rng: Random, *, user_id: str, recipient: str, nonce: str, now: float) -> dict[str, str | int]:
    code = f"{rng.randrange(10**6):06d}"
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    return {
        "app": rng.choice(APPS),
        "from": rng.choice(SENDERS),
        "to": recipient,
        "userId": user_id,
        "text": rng.choice(TEXTS).format(code=code, nonce=nonce),
        "time": moment.replace("+00:00", "Z"),
    }
