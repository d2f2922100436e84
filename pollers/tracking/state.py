"""What we remember of a watch: the memory of `advance`, one JSON value on the compacted topic `sms.watch-states.v1`."""

from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from providers.results import Action
from schemas import fields
from schemas.messages import Watch, WatchRecord

Outcome = Literal["accepted", "already", "ended"]

Mark = Annotated[str, StringConstraints(pattern="^[0-9a-f]{16}$")]
"""64 bits that stand for the content of an SMS of this watch; `identity.mark`."""


class Counted(NamedTuple):
    """How many SMS had this content, and when the newest of them was, in seconds since 1970."""

    times: int
    at: int
    """A rent's by the provider's time where there is one, else by our clock."""


class Newest(BaseModel):
    """The SMS that an activation showed last, and what was seen since: whether an equal code is a new SMS."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    mark: Mark
    text: str | None
    """As `identity.remembered` makes it; None while no answer had a text."""
    time: str | None
    """The first 14 digits of the provider's time; None while no answer had one."""
    came_ms: int
    previous: Mark | None = None
    """What was the newest before it."""
    boundary: Literal["none", "requested", "seen"] = "none"
    """`requested`: we asked for the next SMS. `seen`: the provider waits for it, so whatever it shows next is new."""
    boundary_ms: int = 0
    waits: int = 0
    """Answers without an SMS in a row, as far as they matter: 0, 1 or 2."""
    waiting_ms: int = 0
    """When the first of them came: nobody saw the SMS later than this."""


class OpenWatch(WatchRecord):
    """The description of a watch that was opened, and what is still wanted of it.

    `desired` is `finish` or `cancel` until the provider did or refused it, `next_after` is there until that SMS came or
    the provider refused it.
    """

    expires_at: fields.Moment


class WatchState(BaseModel):
    """One watch. Unknown keys survive here and in what is nested: a later program may have written the record.

    The defaults are part of the format: a value that is its default is not written, which halves a state.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    watch: OpenWatch
    provider: fields.Provider
    key: str
    """The Kafka key of its SMS: fixed when the watch is opened, even if the number is learned later."""
    looked_ms: int
    """When an answer was last known to say something about the order, at most `answers.NOTED_EVERY_MS` before the real
    last time; before the first one, when the watch was opened."""
    first_look: bool = True
    """No answer has said anything about the order yet."""
    revision: int = 0
    """Grows by one with each changed state."""
    applied: str | None = None
    """`watches.request_name` of the last request applied; None: a program wrote the state that named no requests, or
    the watch was opened by a request to stop that is still to be applied."""
    outcome: Outcome = "accepted"
    """What became of that request."""
    opening: int = 0
    """How many times the watch was opened again."""
    reopened: bool = False
    """It was, and no answer has said anything about the order since."""
    recipient: str | None = None
    """The number as an answer spelled it."""
    sms_count: int = 0
    """SMS that were published; the next one's sequence."""
    old_count: int = 0
    """How many of them `after_sms` does not mean: those from before the watch was opened, or opened again."""
    counts: dict[Mark, Counted] = Field(default_factory=dict)
    newest: Newest | None = None
    complete: bool = True
    """The last list of a rent's SMS was whole."""
    gone_count: int = 0
    """Answers in a row that the order is not known, as far as they matter: 0 to 3."""
    gone_ms: int = 0
    """When the first of them came."""
    asked_after: int = -1
    """How many SMS there were when the next one was last asked for, by us or by others."""
    later_next: tuple[int, ...] = ()
    """Further counts after which the next SMS is wanted; `watch.next_after` is the first."""
    given_up: bool = False
    """What `after_sms` asks for was refused. `request_next` asks again after the next SMS, `finish` does not."""
    refused: Action | None = None
    """What the provider refused last, since the last request of it; `refused_code` is the provider's word for it."""
    refused_code: str | None = None
    refused_ms: int = 0
    performed: Action | None = None
    """What the provider did for us last."""
    performed_ms: int = 0
    tries: int = 0
    """How many times in a row an action failed in a way that may pass."""
    not_before_ms: int = 0
    """Until then nothing is asked of the provider."""
    held_code: str | None = None
    """Why what is wanted waits: the provider's word (`early_cancel_denied`, `bad_action`), or `too_early`. None: it
    does not, or the program that wrote the state did not say why."""
    answer: str | None = None
    """What the last noted answer was: the name of its class (`waiting_next`), or `Trouble.word`."""
    noted_ms: int = 0
    """When an answer was last noted that said nothing about the order; for all others `looked_ms` says it."""
    ended: fields.EndReason | None = None
    ended_at: fields.Moment | None = None

    @field_validator("watch", mode="before")
    @classmethod
    def _as_open(cls, watch: object) -> object:
        return watch.model_dump() if isinstance(watch, Watch) and not isinstance(watch, OpenWatch) else watch

    def to_json(self) -> bytes:
        """Return the record's value."""
        return self.__pydantic_serializer__.to_json(self, exclude_defaults=True)

    @classmethod
    def from_json(cls, value: bytes) -> Self:
        """Return what `to_json` was given; raises `ValidationError` for anything else."""
        return cls.model_validate_json(value)

    def having(self, **changes: Any) -> Self:  # noqa: ANN401 - each field its own type
        """Return the state with these fields, itself when it has them already. Values are not validated."""
        changed = {name: value for name, value in changes.items() if getattr(self, name) != value}
        return self.model_copy(update=changed) if changed else self

    @property
    def awaited_since_ms(self) -> int | None:
        """Since when the next SMS is waited for, after one was seen; None when none was asked for or none was seen."""
        return self.newest.boundary_ms if self.newest and self.newest.boundary != "none" else None
