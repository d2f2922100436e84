"""What must never be written anywhere but into a record's key and value, and how it is looked for."""

import secrets
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Sms(NamedTuple):
    """An SMS whose every part is found again by its characters alone."""

    number: str
    sender: str
    code: str
    words: str

    @property
    def body(self) -> dict[str, str]:
        text = f"{self.words} code is {self.code}"
        return {"app": "jd", "from": self.sender, "to": self.number, "userId": "e2e", "text": text}


def sms() -> Sms:
    """A new one. Eight digits of a code, so that no timestamp or size holds them by chance."""
    digits = secrets.randbelow
    return Sms(
        f"1201{digits(10**7):07}", f"1416{digits(10**7):07}", f"{digits(10**8):08}", f"Kennwort-{secrets.token_hex(6)}"
    )


def parts(messages: Iterable[Sms]) -> set[str]:
    """Everything private in them. A number is found with and without its plus, and without its country's 1."""
    return {part for each in messages for part in (each.number[1:], each.sender[1:], each.code, each.words)}


def leaks(written: Mapping[str, str], private: Iterable[str]) -> list[str]:
    """Return one line for each private part that stands somewhere, naming where."""
    return [f"{part} stands in {where}" for part in private for where, text in written.items() if part in text]
