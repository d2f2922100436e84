"""The requests about a shard's watches that are not applied yet, from the records of the topic. Pure.

The protocol is in docs/decisions/0001-watch-commands-and-states.md.
"""

from collections.abc import Iterable, Iterator

from pollers.owned_watch import OwnedWatch
from pollers.tracking.state import WatchState
from pollers.watch_commands import last_applied, request_name, unapplied, with_request
from schemas.messages import Watch

Requests = list[Watch | None]
"""Those of one watch, in the order of the topic. None: the watch was withdrawn; this can only be the first entry."""


class ShardRequests:
    """Requests to apply with the next commit."""

    def __init__(self) -> None:
        self.present: set[str] = set()
        """Watches whose newest record is not a tombstone; kept until `withdraw_absent`."""
        self._requests: dict[str, Requests] = {}
        self._held: dict[str, Requests] = {}  # until the first poll of a restored watch

    def __bool__(self) -> bool:
        return bool(self._requests)

    def __contains__(self, watch_id: str) -> bool:
        return watch_id in self._requests

    def request(self, watch_id: str, watch: Watch) -> None:
        """Add the request in a record."""
        self._requests.setdefault(watch_id, []).append(watch)
        self.present.add(watch_id)

    def withdraw(self, watch_id: str) -> None:
        """Note that the record was deleted: earlier requests no longer count."""
        self._requests[watch_id] = [None]
        self.present.discard(watch_id)

    def forget(self, watch_id: str, request: str, owned: OwnedWatch | None) -> Watch | None:
        """Handle our own tombstone: drop the requests up to this one. Return a newer one, to be written again."""
        requests = self._requests.pop(watch_id, [])
        names = [request_name(watch) if watch else None for watch in requests]
        if request in names:
            del requests[: len(names) - names[::-1].index(request)]
        newer = requests[-1] if requests else _opened_again(owned, request)
        if requests:
            self._requests[watch_id] = requests
        if newer is None:
            self.present.discard(watch_id)
        return newer

    def withdraw_absent(self, watch_ids: Iterable[str]) -> None:
        """Withdraw the watches that have no record on the topic: it was deleted while nobody owned the shard."""
        for watch_id in watch_ids:
            if watch_id not in self.present:
                self._requests.setdefault(watch_id, [None])
        self.present.clear()

    def taken(self) -> Iterator[tuple[str, Requests]]:
        """Yield and remove everything; what is held comes before newer requests, unless these withdraw the watch."""
        taken, self._requests = self._requests, {}
        for watch_id, requests in taken.items():
            held = self._held.pop(watch_id, [])
            yield watch_id, requests if requests[:1] == [None] else [*held, *requests]

    def put_back(self, watch_id: str, requests: Requests) -> None:
        """Put these back, before those that have arrived meanwhile, unless these withdraw the watch."""
        newer = self._requests.get(watch_id, [])
        self._requests[watch_id] = newer if newer[:1] == [None] else [*requests, *newer]

    def hold(self, watch_id: str, requests: Requests) -> None:
        """Keep these, which are not yielded before `release` or a newer request."""
        self._held[watch_id] = requests

    def release(self, watch_id: str) -> bool:
        """Put back what is held, which may be nothing: False."""
        held = self._held.pop(watch_id, [])
        if held:
            self.put_back(watch_id, held)
        return bool(held)


def not_applied(state: WatchState, requests: Requests) -> Requests:
    """Return the requests that the state does not include; a withdrawal only if the state is not newer."""
    watches = [request for request in requests if request is not None]
    left = unapplied(state, watches)
    is_newer = len(left) < len(watches)
    return list(left) if is_newer or requests[:1] != [None] else [None, *left]


def is_withdrawal(requests: Requests) -> bool:
    """Return whether the requests end the watch, or there are none: then there is nothing to wait for."""
    return not requests or any(request is None or request.desired == "stop" for request in requests)


def _opened_again(owned: OwnedWatch | None, request: str) -> Watch | None:
    """Return a request for a live watch that a request other than the erased one has opened again."""
    if owned is None or owned.ended:
        return None
    applied = last_applied(owned.state)
    return None if applied == request else with_request(owned.state.watch, "watch", request_id=applied)
