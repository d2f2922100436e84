"""The state of a watch between two steps: one JSON value on the compacted topic `sms.watch-states.v1`."""

from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from providers.results import Action
from schemas import fields
from schemas.messages import Watch, WatchRecord

Outcome = Literal["accepted", "already", "ended"]

Mark = Annotated[str, StringConstraints(pattern="^[0-9a-f]{16}$")]
"""A hash of the content of an SMS of this watch, 64 bits; see `sms_content.mark`."""


class Counted(NamedTuple):
    """How many SMS had this content, and when the newest of them was, in seconds since 1970."""

    times: int
    at: int
    """For a rent the provider's time where there is one, else our clock's."""


class Newest(BaseModel):
    """The newest SMS of an activation, and what was seen since then, to decide if an equal code is a new SMS."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    mark: Mark
    text: str | None
    """See `sms_content.remembered`; None as long as no response had a text."""
    time: str | None
    """The first 14 digits of the provider's time; None as long as no response had one."""
    came_ms: int
    previous: Mark | None = None
    """The newest SMS before this one."""
    boundary: Literal["none", "requested", "seen"] = "none"
    """`requested`: we requested the next SMS. `seen`: the provider waits for it, so that the next one shown is new."""
    boundary_ms: int = 0
    waits: int = 0
    """Responses without an SMS in a row, up to 2."""
    waiting_ms: int = 0
    """When the first of them came: the SMS was not shown after this."""


class OpenWatch(WatchRecord):
    """The description of an open watch, and the requests that are not completed.

    `desired` is `finish` or `cancel` until the provider has done or refused it; `next_after` is set until that SMS has
    come or the provider has refused it.
    """

    expires_at: fields.Moment


class WatchState(BaseModel):
    """The state of one watch. Unknown keys are kept, also in nested objects: a newer program may have written them.

    The defaults are part of the format: values equal to the default are not written, which halves the size.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    format: Literal[1] = 1
    """A state of another format cannot be read, and is left alone: a newer program wrote it, and will read it again."""
    watch: OpenWatch
    provider: fields.Provider
    key: str
    """The Kafka key of its SMS: fixed when the watch is opened, even if the number is learned later."""
    looked_ms: int
    """When a response was last about the order; recorded at most `answer_notes.NOTED_EVERY_MS` late. Before the first
    one: when the watch was opened."""
    first_look: bool = True
    """No response was about the order yet."""
    revision: int = 0
    """Grows by one with each changed state."""
    applied: str | None = None
    """`watch_commands.request_name` of the last request applied; None: the state is from a program without named
    requests, or the watch was opened by a request to stop that is still to be applied."""
    outcome: Outcome = "accepted"
    """The outcome of that request."""
    opening: int = 0
    """How often the watch was opened again."""
    reopened: bool = False
    """It was opened again, and no response was about the order since."""
    recipient: str | None = None
    """The number as a response has it."""
    sms_count: int = 0
    """How many SMS were published; the sequence of the next one."""
    old_count: int = 0
    """How many of them `after_sms` does not apply to: those from before the watch was opened, or opened again."""
    counts: dict[Mark, Counted] = Field(default_factory=dict)
    newest: Newest | None = None
    complete: bool = True
    """The last list of a rent's SMS was complete."""
    gone_count: int = 0
    """Responses in a row that the order is not known, up to 3."""
    gone_ms: int = 0
    """When the first of them came."""
    asked_after: int = -1
    """How many SMS there were when the next one was last requested, by us or by others."""
    later_next: tuple[int, ...] = ()
    """Further counts after which the next SMS is requested; `watch.next_after` is the first."""
    given_up: bool = False
    """The action of `after_sms` was refused. `request_next` is tried again after the next SMS, `finish` is not."""
    refused: Action | None = None
    """The last refused action, unless it was requested again since; `refused_code` is the provider's code."""
    refused_code: str | None = None
    refused_ms: int = 0
    performed: Action | None = None
    """The last action that the provider performed."""
    performed_ms: int = 0
    tries: int = 0
    """How many times in a row an action failed with an error that may be temporary."""
    not_before_ms: int = 0
    """No action is performed before this time."""
    held_code: str | None = None
    """Why the action is postponed: the provider's code (`early_cancel_denied`, `bad_action`), or `too_early`. None: it
    is not postponed, or the program that wrote the state did not record the reason."""
    answer: str | None = None
    """The last recorded response: the name of its class (`waiting_next`), or the code of an error."""
    noted_ms: int = 0
    """When a response that was not about the order was last recorded; for all others see `looked_ms`."""
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
        """Parse what `to_json` returned; raises `ValidationError` for anything else."""
        return cls.model_validate_json(value)

    def having(self, **changes: Any) -> Self:  # noqa: ANN401 - each field its own type
        """Return the state with these fields; the same object if nothing changes. Values are not validated."""
        changed = {name: value for name, value in changes.items() if getattr(self, name) != value}
        return self.model_copy(update=changed) if changed else self

    @property
    def awaited_since_ms(self) -> int | None:
        """Since when the next SMS is awaited, after one was seen; None if none was requested or none was seen."""
        return self.newest.boundary_ms if self.newest and self.newest.boundary != "none" else None
