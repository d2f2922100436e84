"""The easy case, answered before aiohttp builds anything for it.

88 % of a bare aiohttp request is aiohttp's own Python, and nearly every callback looks the same. If exactly one whole
plain request for the callback route arrived, its body goes to the bus at once, and ready bytes are written when the bus
says that it is durable. Everything else is aiohttp's, untouched; so is all that comes while aiohttp is at work, or
while its parser may stand within a request.
"""

import asyncio
from functools import partial
from time import perf_counter

from aiohttp.web import Server

from bus.contract import Receipt
from receiver.allowance import MOST_PLAIN, Allowance, is_plain
from receiver.answers import Response
from receiver.connection import END, Connection, OnError
from receiver.connections import Connections
from receiver.intake import Intake
from receiver.request_head import NOBODY, Heads, Known
from schemas.messages import SmsReceived, SmsRejected


class FastConnection(Connection):
    """One connection, on which at most one request at a time is ours: being read, or on its way through the bus."""

    __slots__ = (
        *("_allowance", "_began", "_deadline", "_heads", "_intake", "_part", "_reading", "_waiting", "_whole"),
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
        self._allowance: Allowance  # of the account whose request is ours
        self._whole = True  # aiohttp has had whole requests only: its parser stands between two of them
        self._reading: Known | None = None  # the head of ours whose body is not whole
        self._part = bytearray()  # all that came of it
        self._deadline: asyncio.TimerHandle | None = None
        self._waiting = False  # for the bus, with ours
        self._began = 0.0

    def idle_since(self) -> float | None:
        """Not while a request is ours; see `Connection`."""
        return None if self._waiting or self._reading is not None else super().idle_since()

    def data_received(self, data: bytes) -> None:
        """Take bytes: ours, or aiohttp's."""
        if self._waiting:
            self._hold(data)
        elif self._reading is not None:
            self._part += data
            self._read_on(self._reading)
        elif not data or not self._is_ours(data):  # nothing: aiohttp asks itself whether anything is left to parse
            super().data_received(data)

    def _is_ours(self, data: bytes) -> bool:
        """Begin with what came, if it is a plain callback, whole or with nothing but a part of its body missing."""
        end = data.find(END) + len(END)
        known = self._heads.known(data[:end]) if self._whole else None
        missing = end + known.length - len(data) if known else -1
        if known is None or known.caller is NOBODY or missing < 0 or not self._free() or known.length > MOST_PLAIN:
            self._whole = missing == 0
            return False
        self._begin(self._intake.allowances[known.caller.account])
        if missing and self._allowance.refusal():  # whoever waits for the rest holds a connection meanwhile
            self._end()
            self._whole = False
            return False
        if missing:
            self._reading = known
            self._part = bytearray(data)
            self._deadline = self._loop.call_later(self._body_deadline, self._too_late)
        else:
            self._accept(known, data)
        return True

    def _begin(self, allowance: Allowance) -> None:
        self._allowance = allowance
        allowance.begin()
        self._intake.begin()
        self._request_in_progress = True

    def _end(self) -> None:
        self._request_in_progress = False
        self._allowance.end()
        self._intake.end()

    def _free(self) -> bool:
        """Nothing else is under way, the sender reads what we answer, and may stay."""
        idle = self._waiter is not None and not self._waiter.done()
        return (idle or not self._request_count) and not self._paused and not self._intake.leaving

    def _read_on(self, known: Known) -> None:
        end = self._part.find(END) + len(END) + known.length
        if end > len(self._part):
            return
        data = self._read()
        self._accept(known, data[:end])
        if behind := data[end:]:
            self.data_received(behind)

    def _read(self) -> bytes:
        data, self._part, self._reading = bytes(self._part), bytearray(), None
        if self._deadline is not None:
            self._deadline.cancel()
        return data

    def _too_late(self) -> None:
        self.late = True
        self._give(self._read(), whole=False)

    def _give(self, data: bytes, *, whole: bool) -> None:
        """Let aiohttp have ours, as if it had just come."""
        self._whole = whole
        self._end()
        super().data_received(data)

    def _accept(self, known: Known, data: bytes) -> None:
        """Refuse it, leave it to aiohttp where it must wait for its turn, or give it to the bus at once."""
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
            told = self._intake.bus.submit(callbacks.messages[0])
        except Exception as error:  # noqa: BLE001 - see `Intake.failed`
            self._intake.observe_latency(perf_counter() - self._began, fast=True)
            self._answer(self._intake.failed(error))
        else:
            self._waiting = True
            told.add_done_callback(partial(self._told, callbacks.messages[0]))

    def _told(self, message: SmsReceived | SmsRejected, told: asyncio.Future[Receipt]) -> None:
        answer = self._intake.answer(message, told)
        self._intake.observe_latency(perf_counter() - self._began, fast=True)
        self._answer(answer)

    def _answer(self, answer: Response) -> None:
        """Write it, and do what aiohttp does behind an answer."""
        self._waiting = False
        self._end()
        if self._handler_waiter is not None and not self._handler_waiter.done():
            self._handler_waiter.set_result(None)
        if self.transport is None:
            return
        if not self.may_stay():
            answer.force_close()
        self.transport.write(answer.rendered())
        if self._close or self._force_close or not answer.keep_alive:
            self.close()
            self.transport.close()
        else:
            self._stay()

    def _stay(self) -> None:
        """Wait for the next request, which may be here already."""
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(self._next_keepalive_close_time, self._process_keepalive)
        self._go_on()

    def _process_keepalive(self) -> None:
        """Let a connection live that only looks idle to aiohttp."""
        if self._reading is None and not self._waiting:
            super()._process_keepalive()
        else:
            self._keepalive_handle = None  # `_stay` makes the next one

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget what was half read; what the bus has stays there."""
        if self._reading is not None:
            if not self._force_close:
                self._intake.count(self._reading.caller.account, "disconnected")
            self._read()
            self._end()
        super().connection_lost(exc)
