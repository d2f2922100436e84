"""All requests of one poll: the first one, and further ones only where it shows something new.

Each further request waits for a slot of the account's budget.
"""

from dataclasses import replace

from pollers.scheduling.account import WAITS, Account
from pollers.tracking.advance import shows_new_sms
from pollers.tracking.sms_content import with_full_text
from pollers.tracking.state import WatchState
from providers.observation import Last, Listing, NoCode, Observation, ProviderError, Unfinished


async def poll(account: Account, state: WatchState, *, further: bool = True) -> Observation:
    """Return what the order shows. The first request is admitted already. `further`: fetch further pages as well."""
    watch = state.watch
    answer = await account.poll(watch.order_kind, watch.order_id)
    known: Observation | None = None
    while isinstance(answer, Unfinished):
        if _shows_all_new_sms(state, known, answer.shows):
            return _whole(answer.shows)
        known = answer.shows
        if not (further and await account.further()):
            return known or WAITS
        answer = await account.poll(watch.order_kind, watch.order_id, answer)
    if isinstance(answer, ProviderError):
        return known or answer
    return await _with_full_text(account, state, answer)


async def _with_full_text(account: Account, state: WatchState, observation: Observation) -> Observation:
    if not account.client.has_full_text or not isinstance(observation, Last | NoCode):
        return observation
    if not shows_new_sms(state, observation):
        return observation
    full = await account.full_text(state.watch.order_id)
    if isinstance(observation, Last):
        return Last(with_full_text(observation.sms, full))
    return Last(full) if full is not None else observation


def _shows_all_new_sms(state: WatchState, known: Observation | None, shows: Observation | None) -> bool:
    """Return whether the pages so far have all new SMS: the last of them shows none."""
    if not isinstance(shows, Listing) or not state.complete:
        return False
    before = len(known.sms) if isinstance(known, Listing) else 0
    added = shows.sms[: len(shows.sms) - before]  # older pages come before newer ones
    return not shows_new_sms(state, Listing(added))


def _whole(shows: Observation | None) -> Observation:
    return replace(shows, complete=True) if isinstance(shows, Listing) else shows or WAITS


def is_said(observation: Observation) -> bool:
    """Return whether the response is about the order, even if it was not understood."""
    return not isinstance(observation, ProviderError) or (observation.kind == "unrecognised" and observation.answered)


def is_about_the_order(observation: Observation) -> bool:
    """Return whether an error concerns this order: then only the order is polled less often, not the account."""
    if not isinstance(observation, ProviderError):
        return False
    return observation.answered or observation.kind in {"denied", "request_error", "unrecognised"}
