"""What the present parser makes of a dead letter's bytes: the SMS that it refused then, or why it still does."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from app.rejected.letters import Letter
from receiver import pingme
from receiver.auth import Caller
from receiver.settings import PingMeAccount
from receiver.stages import Callbacks, VerifiedRequest
from schemas import timestamps
from schemas.messages import SmsReceived, SmsRejected

PARSERS: Final[Mapping[str, Callable[[VerifiedRequest], Callbacks]]] = {pingme.PROVIDER: pingme.messages}
"""By provider. Polled answers become no dead letters: what cannot be read of one is polled again."""
STAGES: Final = frozenset({"parse", "normalize"})

REASONS: Final[Mapping[str, str]] = {
    "body_empty": "The body is empty, or an array without elements.",
    "not_json": "The body is neither JSON nor a form with a known field.",
    "too_deep": "The JSON is nested too deeply.",
    "too_many": f"The array has more than {pingme.MOST_ELEMENTS} elements.",
    "not_an_object": "The JSON is not an object.",
    "text_missing": "There is no text in it.",
    "text_not_a_string": "The text is an object or an array.",
    "field_not_a_string": "A field that must be a text is an object or an array.",
    "user_mismatch": "Its userId is not the one of this account: see accounts.<name>.user_id.",
    "record_too_large": "Its record would be larger than 512 KiB.",
    "internal_error": "The parser fails on it, which is a bug in smsbus: please report it.",
    "broken_watch": "The record on sms.watches.v1 is not a request about a watch: write it again.",
    "too_large_for_the_topic": "Kafka refused the record for its size: raise the topic's max.message.bytes.",
    "invalid_record": "Kafka refused the record as invalid.",
    "journal_row_damaged": "Its row in the journal was damaged.",
    "unknown_shape": "A sample of a shape that nobody knew, without values: docs/guides/first-real-number.md.",
    "body_incomplete": "Only its start was kept, so it cannot be replayed.",
    "not_a_callback": "It is not a callback: of those, stages parse and normalize can be replayed.",
    "event_deleted": "Only its start was kept, and its topic has the event itself no longer.",
    "event_unreadable": "It is no event that this version can read.",
    "unknown_target": "Its target is not in these settings, or was never started here: --url says where it is.",
    "configured_target": "Its target is configured, and --url is for others: a replay without it sends it there.",
    "unknown_account": "Its account is not in these settings.",
    "other_elements": "The refused elements are not there any more: the parser reads the array differently.",
}
"""What is wrong, for people; those from `body_incomplete` on are of replays alone."""


class Outcome(NamedTuple):
    """What became of one refused callback: an SMS, or the reason why there is none."""

    sms: SmsReceived | None
    reason: str = ""


def callers(accounts: Iterable[PingMeAccount]) -> dict[str, Caller]:
    """Return whose callbacks they are, by the account's name."""
    return {account.name: Caller(account.name, account.user_id) for account in accounts}


def outcomes(letter: Letter, known: Mapping[str, Caller]) -> list[Outcome]:
    """Try the present parser. One outcome for each refused callback, in their order: of an array those elements."""
    if reason := _hindrance(letter, known):
        return [Outcome(None, reason)]
    try:
        return [*_parsed(letter, known[letter.account])]
    except Exception:  # noqa: BLE001 - as the receiver: a bug of ours is a reason like others
        return [Outcome(None, "internal_error")]


def _hindrance(letter: Letter, known: Mapping[str, Caller]) -> str | None:
    """Return why it cannot be tried at all."""
    if letter.received_via != "callback" or letter.stage not in STAGES or letter.provider not in PARSERS:
        return "not_a_callback"
    if not letter.body_complete or len(letter.body) != letter.body_bytes:
        return "body_incomplete"
    return "unknown_account" if letter.account not in known else None


def _parsed(letter: Letter, caller: Caller) -> Iterator[Outcome]:
    observed_ms, content_type = timestamps.to_epoch_ms(letter.observed_at), letter.facts.get("content_type", "")
    request = VerifiedRequest(letter.provider, caller, content_type, letter.body, observed_ms)
    parsed = PARSERS[letter.provider](request)
    for message in _refused(letter, parsed):
        if isinstance(message, SmsReceived):
            yield Outcome(message.model_copy(update={"freshness": "replayed"}))
        else:
            yield Outcome(None, message.reason if message else "other_elements")


def _refused(letter: Letter, parsed: Callbacks) -> list[SmsReceived | SmsRejected | None]:
    """Return what was refused then; of an array nothing else, since the rest was published. None: it is not there."""
    if "elements" not in letter.facts or not parsed.is_array:
        return [*parsed.messages]
    found = dict(enumerate(parsed.messages))
    return [found.get(index) for index in letter.elements or (-1,)]
