"""What the inbox's responses look like. Events are passed on as the bytes that Kafka has."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from aiohttp import web

from app.admin.inbox_query import EVENTS
from app.admin.parameters import WrongQuery
from app.admin.problems import problem, said
from inbox.asking import Ended, OtherFilter, Page, WatchEnded
from inbox.cursor import Cursor
from inbox.following import Blind
from inbox.item import Item
from inbox.lasting import MOST, Closing, TooMany
from inbox.tail import Gone
from schemas import timestamps

NO_CODE: Final = "There is no such SMS with a code."
OVER: Final = "expired, or cancelled at the provider"
PIECE: Final = 64 * 1024  # bytes that are written to a stream at once: a page may be all that the inbox has
NAMES: Final = {topic: name for name, topic in EVENTS.items()}


class NotFilled(Exception):
    """The topics are still being read."""


class UnknownWatch(Exception):
    """No such watch was opened."""


class AccountPaused(Exception):
    """The account is not polled, so nothing can come. The text says why."""


class OtherAccount(Exception):
    """The token is limited to other accounts. The text names them."""


REFUSALS: Final[dict[type[Exception], tuple[int, str, str]]] = {
    OtherFilter: (
        400,
        "cursor_of_other_filters",
        "This cursor belongs to other filters: repeat those that it was returned for, or take one from /v1/cursor.",
    ),
    Gone: (400, "cursor_gone", "What follows this cursor is not in the inbox any more; `cursor` is the one of now."),
    OtherAccount: (403, "other_account", "This token (admin.read_token) reads the SMS of {} only."),
    UnknownWatch: (
        404,
        "unknown_watch",
        "This order is not watched, or this is no watch's id: open a watch first (POST /v1/watches).",
    ),
    AccountPaused: (409, "account_paused", "The account is not polled: {}."),
    WatchEnded: (410, "watch_ended", "The watch ended ({}) without this SMS."),
    NotFilled: (503, "not_ready", "The inbox is still reading what was published. Try again."),
    TooMany: (503, "too_many_waits", f"{MOST:,} waits and streams are open here: one stream can follow many numbers."),
    Blind: (503, "inbox_blind", "Kafka cannot be read now, so nobody knows what is new. Nothing is lost; try again."),
    Closing: (503, "closing", "This process is about to end: ask again, from the cursor that you have."),
}


def refusal(error: Exception, **more: str) -> web.Response:
    """Return the response for one of our errors."""
    if isinstance(error, WrongQuery):
        return problem(400, "invalid_query", said(str(error).splitlines()))
    status, reason, detail = REFUSALS[type(error)]
    why = ending(error.ended) if isinstance(error, WatchEnded) else error
    return problem(status, reason, detail.format(why), **more)


def ending(ended: Ended) -> str:
    """Return why a watch ended, for people: providers have one word for a cancelled order and an expired one."""
    return OVER if ended.reason == "cancelled" and not ended.cancelled_here else ended.reason


def envelope(page: Page, **more: int) -> web.Response:
    """Return `{"items": […], "cursor": …}`."""
    items = b",".join(item.value for item in page.items)
    rest = json.dumps({"cursor": page.cursor.text(), **more}).encode()[1:]
    body = b'{"items": [' + items + b"], " + rest
    return web.Response(body=body, content_type="application/json", charset="utf-8")


def next_sequence(page: Page, asked: int) -> dict[str, int]:
    """Return the sequence of an activation to wait for next."""
    sequence = page.items[0].sequence if page.items else None
    return {"next_sequence": asked if sequence is None else sequence + 1}


def wants_text(request: web.Request) -> bool:
    """Tell whether the client wants the bare code: of what it accepts, that is weighed highest, or is first."""
    media, weight = max(map(_weighed, request.headers.get("Accept", "").lower().split(",")), key=lambda each: each[1])
    return media == "text/plain" and weight > 0


def _weighed(accepted: str) -> tuple[str, float]:
    """Return a media type and its weight, as RFC 9110 (12.4.2) has it."""
    media, *parameters = (part.strip() for part in accepted.split(";"))
    weights = [part.removeprefix("q=") for part in parameters if part.startswith("q=")]
    with suppress(ValueError):
        return media, float(weights[0]) if weights else 1.0
    return media, 1.0


def code(page: Page) -> web.Response:
    """Return the newest code of a page as text; 404: there is none."""
    found = page.items[-1].code if page.items else None
    return web.Response(text=f"{found}\n") if found else problem(404, "no_code", NO_CODE)


def greeting(cursor: Cursor) -> bytes:
    """Return what a stream begins with: whoever is cut off before the first event goes on from here, too."""
    return b"retry: 1000\n" + _id(cursor)


def frames(page: Page) -> Iterator[bytes]:
    """Yield the events as server-sent events, or a ping, in pieces; at the end the cursor after all that was read."""
    piece = b""
    for item in page.items:
        if len(piece) >= PIECE:
            yield piece
            piece = b""
        piece += _frame(item)
    yield (piece.removesuffix(b"\n") or b": ping\n") + _id(page.cursor)


def _id(cursor: Cursor) -> bytes:
    return f"id: {cursor.text()}\n\n".encode()


def _frame(item: Item) -> bytes:
    value = item.value.replace(b"\r", b" ").replace(b"\n", b" ")  # blanks in JSON, ends of lines in the stream
    return b"event: " + NAMES[item.part.topic].encode() + b"\ndata: " + value + b"\n\n"


def way(item: Item) -> dict[str, Any]:
    """Return how an event came: by way of what, to which place, how long after the provider's time (seconds)."""
    event = json.loads(item.value)
    return {
        "via": item.via or None,
        "topic": item.part.topic,
        "partition": item.part.partition,
        "offset": item.offset,
        "provider_delay": _delay(event.get("provider_time"), item.time_ms),
    }


def _delay(provider_time: object, observed_ms: int) -> float | None:
    try:
        return (observed_ms - timestamps.to_epoch_ms(str(provider_time))) / 1000
    except ValueError:
        return None
