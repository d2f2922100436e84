"""Whose callback a head begins: judged once, then remembered by its very bytes."""

from typing import Final, NamedTuple

from receiver.metrics import STRANGER
from receiver.request_head import parse_plain_head
from receiver.stages import Caller, RawRequest, Tokens

REMEMBERED: Final = 1024  # heads, of at most 4 KiB; a sender has one, or one for each length of a body
NOBODY: Final = Caller(STRANGER, None)


class Known(NamedTuple):
    """What a plain head is for us."""

    caller: Caller
    """Whose callback it is; `NOBODY` for what is aiohttp's to answer."""
    content_type: str
    length: int
    """Of the body, bytes."""


class Heads:
    """The heads that the connections of one door see.

    Only those with a valid token are remembered, so a stranger fills no memory. They hold that token, as the settings
    do; a look-up compares bytes only where their keyed hashes agree, so its time tells nothing.
    """

    def __init__(self, tokens: Tokens, *, max_body: int) -> None:
        self._tokens = tokens
        self._max_body = max_body
        self._remembered: dict[bytes, Known] = {}

    def take_tokens(self, tokens: Tokens) -> None:
        """Know these tokens and no others: whose heads were remembered is judged again."""
        self._tokens = tokens
        self._remembered.clear()

    def known(self, head: bytes) -> Known | None:
        """Return what a head up to its blank line is for us, None if it is not plain or its body too large."""
        return self._remembered.get(head) or self._judged(head)

    def _judged(self, head: bytes) -> Known | None:
        verdict = parse_plain_head(head)
        if verdict is None or verdict.length > self._max_body:
            return None
        caller = self._tokens.verify(RawRequest(verdict.token, verdict.content_type)) if verdict.token else None
        known = Known(caller or NOBODY, verdict.content_type, verdict.length)
        if caller is not None:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[head] = known
        return known
