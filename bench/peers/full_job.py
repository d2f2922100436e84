"""The whole job as one would write it with pydantic: a callback in, our record out. For the FastAPI contenders.

The same fields, key and headers as smsbus has. The code is what a short regular expression finds, which is less work
than ours; no repeats are remembered.
"""

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from hashlib import blake2b
from uuid import UUID

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

E164 = re.compile(r"\+?([1-9][0-9]{6,14})")
CODE = re.compile(r"\b(?:\d{3}-\d{3}|\d{4,8})\b")


class Callback(BaseModel):
    """What PingMe posts."""

    user_id: str | None = Field(None, alias="userId")
    app: str | None = None
    sender: str | None = Field(None, alias="from")
    recipient: str | None = Field(None, alias="to")
    text: str
    time: str | None = None


class SmsReceived(BaseModel):
    """What we publish."""

    id: str
    provider: str = "pingme"
    account: str = "bench"
    received_via: str = "callback"
    order_kind: str | None = None
    order_id: str | None = None
    watch_id: str | None = None
    client_ref: str | None = None
    sequence: int | None = None
    service: str | None
    message_type: str = "sms"
    recipient: str | None
    recipient_raw: str | None
    sender: str | None
    sender_raw: str | None
    sender_kind: str | None
    text: str
    code: str | None
    code_source: str | None
    provider_time: str | None
    provider_time_raw: str | None
    provider_time_basis: str | None
    observed_at: str
    freshness: str = "live"
    provider_fields: dict[str, str] | None = None

    @property
    def key(self) -> bytes:
        return re.sub(r"\D", "", self.recipient_raw or "").encode() or self.account.encode()

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        return [
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_source", f"/smsbus/{self.provider}/{self.account}".encode()),
            ("ce_type", b"smsbus.sms.received.v1"),
            ("ce_time", self.observed_at.encode()),
            ("ce_dataschema", b"urn:smsbus:schema:sms.received.v1"),
            ("content-type", b"application/json"),
        ]


def application(
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    deliver: Callable[[SmsReceived], Awaitable[None]],
    token: str,
) -> FastAPI:
    """Answer 200 to a callback that shows `token` when `deliver` has returned: the record is in Kafka."""
    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/pingme/{shown}")
    async def receive(shown: str, callback: Callback) -> dict[str, str]:
        if shown != token:
            raise HTTPException(404)
        sms = sms_received(callback)
        await deliver(sms)
        return {"status": "accepted", "id": sms.id}

    return app


def sms_received(callback: Callback) -> SmsReceived:
    recipient, sender = e164(callback.recipient), e164(callback.sender)
    code = CODE.search(callback.text)
    time = utc(callback.time)
    return SmsReceived(
        id=event_id(callback),
        service=callback.app,
        recipient=recipient,
        recipient_raw=callback.recipient,
        sender=sender or callback.sender,
        sender_raw=callback.sender,
        sender_kind="phone" if sender else "alphanumeric" if callback.sender else None,
        text=callback.text,
        code=code.group() if code else None,
        code_source="extracted" if code else None,
        provider_time=time,
        provider_time_raw=callback.time,
        provider_time_basis="stated" if time else None,
        observed_at=spelled(datetime.now(UTC)),
    )


def event_id(callback: Callback) -> str:
    parts = (callback.user_id, callback.app, callback.sender, callback.recipient, callback.text, callback.time)
    return str(UUID(bytes=blake2b(repr(parts).encode(), digest_size=16).digest(), version=5))


def e164(raw: str | None) -> str | None:
    found = E164.fullmatch(raw or "")
    return f"+{found[1]}" if found else None


def utc(raw: str | None) -> str | None:
    try:
        return spelled(datetime.fromisoformat(raw or "").astimezone(UTC))
    except ValueError:
        return None


def spelled(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
