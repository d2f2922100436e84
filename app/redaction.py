"""Remove what must never be logged: numbers, codes, texts, tokens, keys. The last step before a line is rendered."""

import re
import traceback
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import quote

GONE: Final = "[redacted]"

# The values of these keys are always removed, however harmless they look.
PRIVATE: Final = frozenset(
    {"text", "code", "recipient", "sender", "key", "token", "tokens", "password", "body", "value"}
)
PRIVATE_ENDINGS: Final = ("_raw", "_key", "_token", "_tokens", "_password")

# Numbers of seven digits and more are kept only under these keys.
COUNTS: Final = frozenset(
    {"pid", "port", "offset", "seq", "partition", "rows", "bytes", "count", "records", "line", "lag"}
    | {"accepted", "adopted", "published", "pending", "rejected", "skipped", "duplicates", "repeats", "not_durable"}
)
COUNT_ENDINGS: Final = ("_ms", "_seconds", "_rows", "_bytes", "_records", "_count", "_port", "_pid", "_offset", "_at")

# The values of these keys are names that people chose, or that were made of a machine's and a port: metrics have them,
# and Kafka's groups. A name begins with a letter, so no number of a phone is one.
NAMES: Final = frozenset({"forward"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")

_SPEAKING = re.compile(
    r"(?P<uuid>\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b)"
    r"|(?P<time>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?)"
    r"|(?P<address>\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b)"
    r"|(?P<size>(?<= limit of )\d+ bytes\b)"  # our own words for the journal's
    r"|(?P<setting>\b(?:retention|segment|max\.message)\.(?:bytes|ms)=\d+(?: and needs \d+)?\b)"  # of a topic
    r"|(?P<path>/v1/pingme/)(?!\{token\})[^\s/?#\"'<>]+"
    r"|(?P<name>\b\w*(?:key|token|password|secret|code)=)[^&\s\"'<>]+"
    r"|\+\d(?:[ ().-]{0,2}\d){6,}"  # a plus: a number, whatever is between its digits
    r"|\d(?:[ ()-]{0,2}\d){6,}",
    re.IGNORECASE,
)


class Redactor:
    """A structlog processor, and a plain function of text. Built once the secrets are known."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""))}
        ordered = sorted(forms, key=len, reverse=True)  # one secret may begin with another
        self._secrets = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, logger: object, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """Return the event without private values. Keys are not changed."""
        del logger, method
        return {key: self._value(key, value) for key, value in event.items()}

    def text(self, text: str) -> str:
        """Return the text without secrets, numbers and tokens; times, ids and addresses of machines stay."""
        return _SPEAKING.sub(_kept, self._without_secrets(text))

    def _without_secrets(self, text: str) -> str:
        return self._secrets.sub(GONE, text) if self._secrets is not None else text

    def _value(self, key: str, value: object) -> object:
        if value is None or isinstance(value, (bool, float)):
            return value
        if key in PRIVATE or key.endswith(PRIVATE_ENDINGS):
            return GONE
        if isinstance(value, int):
            return value if _is_count(key) or abs(value) < 1_000_000 else GONE
        if isinstance(value, Mapping):
            return {str(k): self._value(str(k), v) for k, v in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._value(key, item) for item in value]
        return self._other(key, value)

    def _other(self, key: str, value: object) -> object:
        if isinstance(value, BaseException):
            return self.text(described(value))
        if isinstance(value, (bytes, bytearray, memoryview)):
            return GONE
        text = str(value)
        return self._without_secrets(text) if key in NAMES and _NAME.fullmatch(text) else self.text(text)


def described(error: BaseException) -> str:
    """Return an exception's type and the line that raised it. Its message may quote an SMS, so it is left out.

    An exception of ours that promises a clean message (`safe_to_log = True`) shows it.
    """
    if getattr(type(error), "safe_to_log", False):
        return f"{type(error).__name__}: {error}"
    frames = list(traceback.walk_tb(error.__traceback__))
    place = f" at {frames[-1][0].f_globals.get('__name__')}:{frames[-1][1]}" if frames else ""
    return type(error).__name__ + place


def _is_count(key: str) -> bool:
    return key in COUNTS or key.endswith(COUNT_ENDINGS)


def _kept(match: re.Match[str]) -> str:
    groups = match.groupdict()
    if groups["uuid"] or groups["time"] or groups["address"] or groups["size"] or groups["setting"]:
        return match[0]
    return (groups["path"] or groups["name"] or "") + GONE
