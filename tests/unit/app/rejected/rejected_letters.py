"""Dead letters as the receiver makes them, read as operators read them."""

import json

from app.rejected.letters import Letter
from receiver import pingme
from receiver.auth import Caller
from receiver.stages import VerifiedRequest
from schemas.messages import SmsRejected

SHOP = Caller("shop", None)
OBSERVED_MS = 1_795_000_000_000
SMS = {"app": "jd", "from": "14160000000", "to": "16470000000", "userId": "u", "text": "code is 5611", "time": "1"}


def request(body: bytes, caller: Caller = SHOP) -> VerifiedRequest:
    return VerifiedRequest(pingme.PROVIDER, caller, "application/json", body, OBSERVED_MS)


def refused(body: object, caller: Caller = SHOP) -> Letter:
    """The letter that this body became; text and bytes as they are, anything else as JSON."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    letters = [each for each in pingme.messages(request(octets, caller)).messages if isinstance(each, SmsRejected)]
    return read(letters[0])


def read(letter: SmsRejected, **changes: object) -> Letter:
    return Letter.model_validate_json(letter.model_copy(update=changes).to_json())
