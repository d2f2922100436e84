"""The fast lane: the common case, answered before aiohttp builds a request object. It is no queue: `bus.lane` is one.

88 % of a bare aiohttp request is aiohttp's own Python, and nearly every callback looks the same. If exactly one whole
plain request for the callback route arrived, its body goes to the bus at once, and ready bytes are written when the bus
says that it is durable. Everything else is aiohttp's, untouched; so is all that comes while aiohttp is at work, or
while its parser may stand within a request.
"""

import asyncio
from functools import partial
from time import perf_counter
from typing import Any

from aiohttp.web import Server

from receiver.allowance import MOST_PLAIN, Allowance, is_plain
from receiver.answers import Response
from receiver.connection import END, Connection, OnError
from receiver.connections import Connections
from receiver.intake import Intake
from receiver.request_head import NOBODY, Heads, Known
from receiver.stages import Callbacks


class FastConnection(Connection):
    """One connection, on which at most one request at a time is handled here: being read, or waiting for the bus."""

    __slots__ = (
        *("_allowance", "_began", "_deadline", "_heads", "_intake", "_parser_is_idle", "_part", "_reading", "_waiting"),
    )

    def __init__(
        self,
        server: Server,
        *,
        on_error: OnError,
        keepalive_timeout: float,
        body_deadline: float,
        connections: Connections,
        heads: Heads,
        intake: Intake,
    ) -> None:
        super().__init__(
            server,
            on_error=on_error,
            keepalive_timeout=keepalive_timeout,
            body_deadline=body_deadline,
            connections=connections,
        )
        self._heads = heads
        self._intake = intake
        self._allowance: Allowance  # of the account whose request is handled here
        self._parser_is_idle = True  # aiohttp was given whole requests only: its parser is between two of them
        self._reading: Known | None = None  # the head whose body is incomplete
        self._part = bytearray()  # what was received of that request
        self._deadline: asyncio.TimerHandle | None = None
        self._waiting = False  # for the bus
        self._began = 0.0

    def is_occupied(self) -> bool:
        """While a request is handled here; see `Connection`."""
        return self._waiting or self._reading is not None

    def is_waiting(self) -> bool:
        """While the bus has the request, too; see `Connection`."""
        return self._waiting or super().is_waiting()

    def data_received(self, data: bytes) -> None:
        """Handle bytes here, or give them to aiohttp."""
        if self._waiting:
            self.hold(data)
        elif self._reading is not None:
            self._part += data
            self._finish_reading(self._reading)
        elif not data:
            super().data_received(data)  # aiohttp asks itself whether anything is left to parse
        else:
            self._read_first(data)

    def _read_first(self, data: bytes) -> None:
        """Handle a plain callback here, whole or with a part of its body missing; give anything else to aiohttp."""
        end = data.find(END) + len(END)
        known = self._heads.known(data[:end]) if self._parser_is_idle else None
        if known is None:
            self._pass_on(data, whole=False)
            return
        missing = end + known.length - len(data)  # bytes of the body; less than none: more follows the request
        if missing >= 0 and known.caller is not NOBODY and self._may_take(known.length):
            self._begin(known, data, missing)
        else:
            self._pass_on(data, whole=missing == 0)

    def _pass_on(self, data: bytes, *, whole: bool) -> None:
        """Give bytes to aiohttp; `whole`: they are one plain request, so its parser is idle afterwards."""
        self._parser_is_idle = whole
        super().data_received(data)

    def _may_take(self, length: int) -> bool:
        return length <= MOST_PLAIN and self.is_free() and not self._intake.leaving

    def _begin(self, known: Known, data: bytes, missing: int) -> None:
        """Take a whole request, wait for the rest of a body, or give it to aiohttp if the account is over a limit."""
        self._allowance = self._intake.allowances[known.caller.account]
        self._allowance.begin()
        self._intake.begin()
        self.occupy()
        if not missing:
            self._accept(known, data)
        elif self._allowance.reading_refusal():  # an incomplete body would hold the connection meanwhile
            self._give(data, whole=False)
        else:
            self._allowance.begin_reading()
            self._reading = known
            self._part = bytearray(data)
            self._deadline = asyncio.get_running_loop().call_later(self._body_deadline, self._too_late)

    def _end(self) -> None:
        self.release()
        self._allowance.end()
        self._intake.end()

    def _finish_reading(self, known: Known) -> None:
        end = self._part.find(END) + len(END) + known.length
        if end > len(self._part):
            return
        data = self._collected()
        self._accept(known, data[:end])
        if behind := data[end:]:
            self.data_received(behind)

    def _collected(self) -> bytes:
        """Stop reading here; return what was read."""
        self._allowance.end_reading()
        data, self._part, self._reading = bytes(self._part), bytearray(), None
        if self._deadline is not None:
            self._deadline.cancel()
        return data

    def _too_late(self) -> None:
        self.late = True
        self._give(self._collected(), whole=False)

    def _give(self, data: bytes, *, whole: bool) -> None:
        """Give the request to aiohttp, as if it had just arrived."""
        self._end()
        self._pass_on(data, whole=whole)

    def _accept(self, known: Known, data: bytes) -> None:
        """Refuse it, give it to aiohttp where it must wait for its turn, or submit it to the bus."""
        body = data[-known.length :]
        if problem := self._allowance.refusal():
            self._intake.comes_from(known.caller)
            self._answer(self._intake.limited(self._allowance, problem))
        elif not is_plain(body) or self._allowance.is_busy():
            self._give(data, whole=True)
        else:
            self._submit(known, body)

    def _submit(self, known: Known, body: bytes) -> None:
        self._began = perf_counter()
        try:
            callbacks = self._intake.callbacks(self._allowance, known.caller, known.content_type, body)
            receipts = self._intake.submit(callbacks.messages)
        except Exception as error:  # noqa: BLE001 - see `Intake.failed`
            self._intake.observe_latency(perf_counter() - self._began, fast=True)
            self._answer(self._intake.failed(error))
        else:
            self._waiting = True
            receipts.add_done_callback(partial(self._respond, callbacks))

    def _respond(self, callbacks: Callbacks, receipts: asyncio.Future[Any]) -> None:
        response = self._intake.response(callbacks, receipts)
        self._intake.observe_latency(perf_counter() - self._began, fast=True)
        self._answer(response)

    def _answer(self, answer: Response) -> None:
        self._waiting = False
        self._end()
        self.reply(answer)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Drop a half-read request; what was submitted to the bus stays there."""
        if self._reading is not None:
            if not self.was_cut():
                self._intake.count(self._reading.caller.account, "disconnected")
            self._collected()
            self._end()
        super().connection_lost(exc)
