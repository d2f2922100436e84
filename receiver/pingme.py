"""PingMe's callback: parse it, normalize it (https://pingme.tel/pingme-verfication-code-helper-apidoc, SMS callback).

The document promises a JSON object with `userId`, `app`, `from`, `to`, `text` and `time`, and nothing else: no id, no
signature, no types. So everything that plausibly is one is accepted: any Content-Type, a form, an array, a byte order
mark, numbers for texts, missing keys, keys of tomorrow. The rest becomes dead letters, with one of these reasons:

=================== ========= =====================================================================
reason              stage     the sender sent
=================== ========= =====================================================================
`body_empty`        parse     nothing, blanks, or an array without elements
`not_json`          parse     neither JSON nor a form with a key that we know
`too_deep`          parse     JSON nested deeper than Python's parser goes
`too_many`          parse     an array of more than 100
`not_an_object`     parse     JSON that is not an object (or such an element of an array)
`text_missing`      normalize no `text`, or null
`text_not_a_string` normalize an object or array as `text`
`field_not_a_string` normalize an object or array as one of the other five
`user_mismatch`     normalize a `userId` that is not the configured one
`record_too_large`  normalize what would be a record of more than 512 KiB: control characters swell in JSON
`internal_error`    normalize something that our code failed on: a bug of ours (set by `intake`)
=================== ========= =====================================================================
"""

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final, cast
from urllib.parse import parse_qsl

from bus.record import fits
from providers.encoding import JSON, marked
from receiver.stages import Callbacks, InvalidCallback, VerifiedRequest, dead_letter
from schemas import identity
from schemas.code import extract_code
from schemas.messages import SmsReceived, SmsRejected
from schemas.normalize import clean, e164, limit_fields, provider_time, sender

PROVIDER: Final = "pingme"
REASONS: Final = (
    "body_empty",
    "not_json",
    "too_deep",
    "too_many",
    "not_an_object",
    "text_missing",
    "text_not_a_string",
    "field_not_a_string",
    "user_mismatch",
    "record_too_large",
    "internal_error",
)
_OPTIONAL: Final = ("userId", "app", "time", "from", "to")
KNOWN: Final = frozenset(("text", *_OPTIONAL))
_READY: Final = frozenset((str, type(None)))  # types of values that need no conversion
_NONE: Final[frozenset[str]] = frozenset()
MOST_ELEMENTS: Final = 100
MOST_FORM_FIELDS: Final = 64  # ten times those that are documented; a form of many empty ones costs 165 ms
MOST_UNKNOWN: Final = 300  # keys; 2 KiB of provider_fields cannot hold more
SURELY_FITS: Final = 40 * 1024  # bytes: one is twelve at most, a control character of `from`, which is kept twice


def messages(request: VerifiedRequest) -> Callbacks:
    """Return the request's messages, one per callback; an invalid one does not affect the others."""
    try:
        callbacks = parse(request)
    except InvalidCallback as refused:
        return Callbacks([dead_letter(request, refused)], is_array=False)
    if isinstance(callbacks, list):
        several = _several(request, [_outcome(request, each) for each in callbacks])
        news = [_unknown_names(each) for each in callbacks]
        lacks_user = request.caller.user_id is not None and any(map(_lacks_user, callbacks))
        unknown = frozenset(islice(_NONE.union(*news), MOST_UNKNOWN))
        return Callbacks(several, is_array=True, unknown=unknown, lacks_user=lacks_user)
    outcome = _outcome(request, callbacks)
    return Callbacks(
        [dead_letter(request, outcome) if isinstance(outcome, InvalidCallback) else outcome],
        is_array=False,
        unknown=_unknown_names(callbacks),
        lacks_user=request.caller.user_id is not None and _lacks_user(callbacks),
    )


def _unknown_names(callback: object) -> frozenset[str]:
    """Return the keys of an object that no document names. Nearly always none: then this costs little."""
    if not isinstance(callback, dict) or KNOWN.issuperset(callback):
        return _NONE
    return frozenset(islice(callback.keys() - KNOWN, MOST_UNKNOWN))


def _lacks_user(callback: object) -> bool:
    """Tell whether an object has no `userId`."""
    return isinstance(callback, dict) and callback.get("userId") is None


def _outcome(request: VerifiedRequest, callback: object) -> SmsReceived | InvalidCallback:
    try:
        sms = normalize(request, callback)
    except InvalidCallback as refused:
        return refused
    is_large = len(request.body) > SURELY_FITS and not fits(sms)
    return InvalidCallback("normalize", "record_too_large") if is_large else sms


def _several(
    request: VerifiedRequest, outcomes: list[SmsReceived | InvalidCallback]
) -> list[SmsReceived | SmsRejected]:
    """Return a message for each valid element, and one dead letter with the whole body for all invalid ones."""
    bad = {index: outcome for index, outcome in enumerate(outcomes) if isinstance(outcome, InvalidCallback)}
    if not bad:
        return [outcome for outcome in outcomes if isinstance(outcome, SmsReceived)]
    letter = dead_letter(request, next(iter(bad.values())), tuple(bad))
    return [
        letter.model_copy(update={"stage": outcome.stage, "reason": outcome.reason})
        if isinstance(outcome, InvalidCallback)
        else outcome
        for outcome in outcomes
    ]


def parse(request: VerifiedRequest) -> object:
    """Return the decoded callback, or a list of them; raises `InvalidCallback`. Broken UTF-8 stays distinct."""
    text = request.body.decode("utf-8", "surrogateescape").removeprefix("\ufeff").strip()
    if not text:
        raise InvalidCallback("parse", "body_empty")
    callbacks = (None if text[0] in '{["' else _form(text)) or _json(marked(text))
    if isinstance(callbacks, list) and not callbacks:
        raise InvalidCallback("parse", "body_empty")
    if isinstance(callbacks, list) and len(callbacks) > MOST_ELEMENTS:
        raise InvalidCallback("parse", "too_many")
    return callbacks


def _form(text: str) -> Mapping[str, str] | None:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FORM_FIELDS, errors="surrogateescape")
    except ValueError:
        return None
    fields = {marked(name): marked(value) for name, value in pairs}  # the last of equal names wins, as in JSON
    return None if KNOWN.isdisjoint(fields) else fields


def _json(text: str) -> object:
    try:
        value, end = JSON.raw_decode(text)
    except RecursionError:
        raise InvalidCallback("parse", "too_deep") from None
    except ValueError:
        raise InvalidCallback("parse", "not_json") from None
    if end < len(text):
        raise InvalidCallback("parse", "not_json")
    return value


def normalize(request: VerifiedRequest, callback: object) -> SmsReceived:
    """Return the SMS that a decoded callback describes; raises `InvalidCallback`."""
    if not isinstance(callback, dict):
        raise InvalidCallback("parse", "not_an_object")
    text = _scalar(callback, "text", "text_not_a_string")
    if text is None:
        raise InvalidCallback("normalize", "text_missing")
    user, app, time, origin, recipient = _scalars(callback)
    content = identity.pingme_content(user, app, origin, recipient, text, time)
    if not "".join(filter(None, content)).isascii():
        text = clean(text)
        user, app, origin, recipient, time = (value and clean(value) for value in (user, app, origin, recipient, time))
    if user is not None and request.caller.user_id not in {None, user}:
        raise InvalidCallback("normalize", "user_mismatch")
    from_whom = sender(origin) if origin is not None else None
    stated = provider_time(time, now_ms=request.observed_ms) if time is not None else None
    code = extract_code(text)
    account = request.caller.account
    return SmsReceived.unchecked(
        {
            "id": identity.event_id(PROVIDER, account, None, None, content),
            "provider": PROVIDER,
            "account": account,
            "received_via": "callback",
            "order_kind": None,
            "order_id": None,
            "watch_id": None,
            "client_ref": None,
            "sequence": None,
            "service": app,
            "message_type": "sms",
            "recipient": e164(recipient) if recipient is not None else None,
            "recipient_raw": recipient,
            "sender": from_whom.value if from_whom else None,
            "sender_raw": origin,
            "sender_kind": from_whom.kind if from_whom else None,
            "text": text,
            "code": code,
            "code_source": "extracted" if code is not None else None,
            "provider_time": stated.time if stated else None,
            "provider_time_raw": time,
            "provider_time_basis": stated.basis if stated else None,
            "observed_at": request.observed_at,
            "freshness": "live",
            "provider_fields": _unknown(callback),
        }
    )


def _scalars(callback: Mapping[str, object]) -> Sequence[str | None]:
    """Return the `_OPTIONAL` values. Nearly always they are strings or missing."""
    values = tuple(map(callback.get, _OPTIONAL))
    if _READY.issuperset(map(type, values)):
        return cast("tuple[str | None, ...]", values)
    return [_scalar(callback, name) for name in _OPTIONAL]


def _scalar(callback: Mapping[str, object], name: str, reason: str = "field_not_a_string") -> str | None:
    """Return a value's source text without quotes; None for null and for a missing key."""
    value = callback.get(name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    raise InvalidCallback("normalize", reason)


def _unknown(callback: Mapping[str, object]) -> dict[str, str] | None:
    """Return the unknown keys; values that are not strings as JSON, with numbers quoted."""
    if KNOWN.issuperset(callback):
        return None
    unknown = [name for name in callback if name not in KNOWN]
    try:
        return limit_fields({clean(name): _as_text(callback[name]) for name in islice(unknown, MOST_UNKNOWN)})
    except RecursionError:  # parsed at the limit of the stack: publish the SMS without them
        return None


def _as_text(value: object) -> str:
    return clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":")))
