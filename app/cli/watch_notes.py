"""What `smsbus watch show` does not know of a live watch, and why: lines beside its JSON."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.cli.account_messages import SENTENCES, sentence

if TYPE_CHECKING:
    from pollers.watches.watch_table import Known


def notes(known: "Known", bootstrap_servers: str) -> Iterator[str]:
    """Yield why values are null, and what helps. Of an ended watch nothing more will be known."""
    if known.ended is not None:
        return
    if known.unreadable:
        yield "this version of smsbus cannot read its records, so it leaves it unchanged"
        return
    state, account = known.state, known.watch.account if known.watch else ""
    if state is None:
        yield (
            "no poller has taken this watch, so nothing is known of its polls: is `smsbus serve` running with the "
            f"account {account}, on the Kafka at {bootstrap_servers}? `smsbus check --role pollers` says what is wrong"
        )
        return
    if state.answer in SENTENCES:
        yield f"the last answer was an error, {state.answer}: {sentence(state.answer)}"
    elif state.first_look:
        yield (
            "no answer about the order is recorded: it was just opened, or its account is not polled "
            f"(`account_paused`, `account_backing_off` of {account} in the log of `smsbus serve`)"
        )
    yield "next_poll_in is known to the process that polls it only: `GET /v1/watches/{id}` on its admin listener"
