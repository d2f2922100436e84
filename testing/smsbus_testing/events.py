"""Events for tests of consumers, which need no service at all."""

import uuid
from typing import Any

DEFAULTS: dict[str, Any] = {
    "id": "6a1c9a3e-0000-8000-8000-000000000001",
    "provider": "pingme",
    "account": "shop",
    "received_via": "callback",
    "order_kind": None,
    "order_id": None,
    "watch_id": None,
    "client_ref": None,
    "sequence": None,
    "service": "jd",
    "message_type": "sms",
    "recipient": "+16470000000",
    "recipient_raw": "16470000000",
    "sender": "+14160000000",
    "sender_raw": "14160000000",
    "sender_kind": "phone",
    "text": "[jd] code is 5611",
    "code": "5611",
    "code_source": "extracted",
    "provider_time": "2021-03-25T03:17:06.050Z",
    "provider_time_raw": "2021-03-25T03:17:06.050Z",
    "provider_time_basis": "stated",
    "observed_at": "2021-03-25T03:17:06.250Z",
    "freshness": "live",
    "provider_fields": None,
}


def event(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a valid `SmsReceived` as it is on the topic, with these fields changed and an id of its own.

    Raises TypeError for a field that there is not.
    """
    if unknown := changes.keys() - DEFAULTS.keys():
        message = f"SmsReceived has no {', '.join(sorted(unknown))}; it has {', '.join(DEFAULTS)}"
        raise TypeError(message)
    made = uuid.uuid4().hex
    own_id = f"{made[:8]}-{made[8:12]}-8{made[13:16]}-8{made[17:20]}-{made[20:]}"
    return {**DEFAULTS, "id": own_id, **changes}
