"""Callbacks as PingMe posts them, each with a unique text and time; created before the measurement."""

import itertools
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

TOKEN: Final = "bench-token-bench-token-bench"
PATH: Final = f"/v1/pingme/{TOKEN}"
MANY: Final = 5000
"""Recipients whose callbacks go to all partitions; one recipient's go to one partition, since the number is the key."""

TEXTS: Final = (
    "Your WhatsApp code: {code}\nDon't share this code with others ({number})",
    "Use {code} to verify your account. Message {number}",
    "{code} is your Acme verification code. Ref {number}",
    "Ваш код: {code}. Никому его не говорите ({number})",
    "【京东】验证码{code}，5分钟内有效。#{number}",
    "Your parcel {number} arrives tomorrow between 12:45 and 14:00.",
    "[Acme] Dear customer, {code} is your OTP for login. Valid for 10 minutes. {number}",
    "{number} new offers near you, reply STOP to opt out",
)


BODIES: Final = [
    json.dumps(
        {
            "userId": "20212312",
            "app": "WhatsApp",
            "from": "+12025550143",
            "to": "1647%(recipient)07d",
            "text": text.format(code="%(code)s", number="%(number)d"),
            "time": "2026-11-22T%(hour)02d:%(minute)02d:%(second)06.3fZ",
        }
    )
    for text in TEXTS
]


class Callbacks:
    """Whole HTTP requests; no two of one object are the same SMS."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def batch(self, count: int, *, recipients: int = MANY) -> Iterator[bytes]:
        return iter([request(number, recipients) for number in itertools.islice(self._numbers, count)])


def request(number: int, recipients: int) -> bytes:
    minutes, milliseconds = divmod(number, 60_000)
    body = BODIES[number % len(BODIES)] % {
        "recipient": number % recipients,
        "code": f"{number % 1000:03}-{number // 1000 % 1000:03}",
        "number": number,
        "hour": minutes // 60 % 24,
        "minute": minutes % 60,
        "second": milliseconds / 1000,
    }
    return _head(len(body)) + body.encode()


@lru_cache
def _head(length: int) -> bytes:
    return (
        f"POST {PATH} HTTP/1.1\r\nHost: sms.example.org\r\nUser-Agent: bench\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()
