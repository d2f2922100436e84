"""The easy case, answered before aiohttp builds anything for it.

88 % of a bare aiohttp request is aiohttp's own Python, and nearly every callback looks the same. If exactly one whole
plain request for the callback route arrived, its body goes to the bus at once, and ready bytes are written when the bus
says that it is durable. Everything else is aiohttp's, untouched; so is all that comes while aiohttp is at work, or
while its parser may stand within a request.
"""

import asyncio
from time import perf_counter

from aiohttp.web import Server

from receiver.allowance import MOST_PLAIN, Allowance, is_plain
from receiver.answers import Response
from receiver.connection import END, Connection, OnError
from receiver.connections import Connections
from receiver.intake import Intake
from receiver.request_head import NOBODY, Heads, Known


class FastConnection(Connection):
    """One connection, on which at most one request at a time is ours: being read, or on its way through the bus."""

    __slots__ = (*("_allowance", "_deadline", "_heads", "_intake", "_part", "_reading", "_waiting", "_whole"),)

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

    def is_occupied(self) -> bool:
        """While a request is ours; see `Connection`."""
        return self._waiting or self._reading is not None

    def data_received(self, data: bytes) -> None:
        """Take bytes: ours, or aiohttp's."""
        if self._waiting:
            self.hold(data)
        elif self._reading is not None:
            self._part += data
            self._read_on(self._reading)
        elif not data:
            super().data_received(data)  # aiohttp asks itself whether anything is left to parse
        else:
            self._look(data)

    def _look(self, data: bytes) -> None:
        """Begin with what came, if it is a plain callback, whole or with nothing but a part of its body missing."""
        end = data.find(END) + len(END)
        known = self._heads.known(data[:end]) if self._whole else None
        missing = end + known.length - len(data) if known else -1
        if known is not None and missing >= 0 and self._is_ours(known):
            self._begin(known, data, missing)
        else:
            self._whole = missing == 0
            super().data_received(data)

    def _is_ours(self, known: Known) -> bool:
        is_plain_callback = known.caller is not NOBODY and known.length <= MOST_PLAIN
        return is_plain_callback and self.is_free() and not self._intake.leaving

    def _begin(self, known: Known, data: bytes, missing: int) -> None:
        """Take it, wait for the rest of its body, or leave it to aiohttp where that may not be waited for here."""
        self._allowance = self._intake.allowances[known.caller.account]
        self._allowance.begin()
        self._intake.begin()
        self.occupy()
        if not missing:
            self._accept(known, data)
        elif self._allowance.refusal():  # whoever waits for the rest holds a connection meanwhile
            self._give(data, whole=False)
        else:
            self._reading = known
            self._part = bytearray(data)
            self._deadline = asyncio.get_running_loop().call_later(self._body_deadline, self._too_late)

    def _end(self) -> None:
        self.release()
        self._allowance.end()
        self._intake.end()

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
        began = perf_counter()
        self._waiting = True
        try:
            callbacks = self._intake.callbacks(self._allowance, known.caller, known.content_type, body)
        except Exception as error:  # noqa: BLE001 - see `Intake.failed`
            self._answer(self._intake.failed(error))
        else:
            self._intake.take(callbacks, began, self._answer, fast=True)

    def _answer(self, answer: Response) -> None:
        self._waiting = False
        self._end()
        self.reply(answer)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget what was half read; what the bus has stays there."""
        if self._reading is not None:
            if not self.was_cut():
                self._intake.count(self._reading.caller.account, "disconnected")
            self._read()
            self._end()
        super().connection_lost(exc)
