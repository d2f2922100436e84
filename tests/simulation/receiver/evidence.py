"""What the auditor of the receiver goes by: what was answered, the topics, the files, and when what was broken."""

import json
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.audit import in_files
from tests.simulation.clock import START
from tests.simulation.findings import Finding, hms
from tests.simulation.receiver.senders import Post, Sms

if TYPE_CHECKING:
    from tests.simulation.receiver.town import ReceiverTown, Snapshot

NEVER: Final = 10.0**9
STOPS: Final = frozenset({"killed", "stopping", "stopped", "asleep"})
DISTURBS: Final = STOPS | {"awake", "started"}


class There(NamedTuple):
    """An SMS or a dead letter, wherever it is."""

    number: str | None
    text: str | None
    body: str | None
    """The sha256 of what a dead letter keeps."""
    refused: str | None
    """The id of the SMS that Kafka refused, of its dead letter."""


class Promise(NamedTuple):
    """An SMS that was answered 200; None: what is no SMS."""

    post: Post
    sms: Sms | None
    status: str
    id: str


class ReceiverEvidence:
    """Made when the run is over."""

    def __init__(self, town: "ReceiverTown") -> None:
        self.town = town
        self.posts = town.posts
        self.promises = [each for post in self.posts if post.ok for each in _promises(post)]
        settings = town.plan.settings()
        self.journal = float(str(settings["bus"]["journal_max_bytes"]))
        self.remembered = int(str(settings["bus"]["dedup_cache_size"]))
        self.allowance = float(str(settings["receiver"]["allowance"]))
        self.in_flight = int(str(settings["receiver"]["max_in_flight"]))

    @cached_property
    def published(self) -> dict[str, list[tuple[float, There]]]:
        """When, and what, by id."""
        found: defaultdict[str, list[tuple[float, There]]] = defaultdict(list)
        for each in self.town.arrived:
            found[each.id].append((each.at, _there(each.value)))
        return found

    @cached_property
    def in_files(self) -> dict[str, There]:
        """What lies in files, by id."""
        return {each.id: _there(each.value) for each in in_files([self.town.journals]).found}

    # ---- when all was well -----------------------------------------------------------------------------------------

    @cached_property
    def outages(self) -> list[tuple[float, float]]:
        """From when to when Kafka was away."""
        return sorted((since, until) for since, until, _ in self.town.kafka.all_outages())

    def away_at(self, at: float, *, before: float = 0.0, after: float = 0.0) -> bool:
        """Tell whether Kafka was away around a moment."""
        return any(since - after <= at <= until + before for since, until in self.outages)

    def away_through(self, begin: float, end: float) -> bool:
        """Tell whether Kafka was away all the time."""
        return any(since <= begin and end <= until for since, until in self.outages)

    def slow_at(self, at: float) -> bool:
        """Tell whether requests to Kafka were slow around a moment, now and then."""
        return self.town.is_slow and at < START + self.town.seconds + 80.0

    @cached_property
    def fulls(self) -> list[tuple[float, float]]:
        """From when to when the disk took nothing."""
        changes = [(when, whom) for when, what, whom in self.town.notes if what == "disk"]
        return [(begin, end) for (begin, reason), (end, _) in pairwise([*changes, (NEVER, "")]) if reason == "full"]

    def full_at(self, at: float, *, before: float = 0.0) -> bool:
        """Tell whether the disk took nothing around a moment."""
        return any(begin <= at <= end + before for begin, end in self.fulls)

    @cached_property
    def refused(self) -> set[str | None]:
        """The ids of the SMS that Kafka refused for themselves."""
        return {there.refused for each in self.published.values() for _, there in each}

    @cached_property
    def incidents(self) -> list[float]:
        """When something happened after which an SMS may come twice: also an outage, which ends in new producers."""
        found = [each.at for each in self.town.kafka.incidents]
        return sorted(found + [at for outage in self.outages for at in outage])

    @cached_property
    def disturbances(self) -> list[float]:
        """When something began or ended for whose sake what is waiting waits on."""
        found = [at for at, what, _ in self.town.notes if what in DISTURBS or what == "disk"]
        return sorted(found + self.incidents + [until for _, until in self.outages])

    def calm_after(self, at: float, seconds: float) -> float:
        """Return the end of the first time, so long, in which nothing was broken."""
        begin = at
        while True:
            outage = next((until for since, until in (*self.outages, *self.fulls) if since <= begin < until), None)
            if outage is not None:
                begin = outage
                continue
            later = self.disturbances[bisect_right(self.disturbances, begin) :]
            if not later or later[0] >= begin + seconds:
                return begin + seconds
            begin = later[0]

    def is_calm(self, at: float) -> bool:
        """Tell whether nothing was broken shortly before."""
        return self.calm_after(at - 121.0, 120.0) <= at

    @cached_property
    def spells(self) -> dict[str, list[tuple[float, float]]]:
        """From when to when a process was about to stop, gone, or stood still."""
        found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        since: dict[str, float] = {}
        for at, what, whom in self.town.notes:
            if what in STOPS:
                since.setdefault(whom, at)
            elif what in {"started", "awake"} and whom in since:
                found[whom].append((since.pop(whom), at))
        for whom, at in since.items():
            found[whom].append((at, NEVER))
        return found

    def disturbed(self, post: Post) -> bool:
        """Tell whether its process was killed, stopped or asleep meanwhile."""
        name = post.life.partition(" ")[0]
        return any(begin <= post.answered and post.sent <= end for begin, end in self.spells[name])

    def life_of(self, life: str, at: float) -> float:
        """Return how long this process had been running and awake at a moment, seconds."""
        name = life.partition(" ")[0]
        return at - max(
            when for when, what, whom in self.town.notes if whom == name and what in DISTURBS and when <= at
        )

    def snapshots(self, life: str, begin: float, end: float) -> "list[Snapshot]":
        """Return what was seen of a receiver's journal in this time."""
        found = self._snapshots[life]
        return found[bisect_left(found, begin, key=_at) : bisect_right(found, end, key=_at)]

    @cached_property
    def _snapshots(self) -> "dict[str, list[Snapshot]]":
        found: defaultdict[str, list[Snapshot]] = defaultdict(list)
        for each in self.town.snapshots:
            found[each.life].append(each)
        return found


def _at(snapshot: "Snapshot") -> float:
    return snapshot.at


def _promises(post: Post) -> Iterator[Promise]:
    if post.kind == "bad":
        yield Promise(post, None, str(post.response.said.get("status")), "")
        return
    for sms, said in zip(post.sms, post.results, strict=True):
        yield Promise(post, sms, said["status"], said.get("id", ""))


def _there(value: bytes) -> There:
    said: dict[str, Any] = json.loads(value)
    refused = said.get("facts", {}).get("refused_id")
    return There(said.get("recipient_raw"), said.get("text"), said.get("body_sha256"), refused)


def about(post: Post, rule: str, words: str) -> Finding:
    """Return a breach that concerns a post."""
    story = (f"{hms(post.sent - START)} {post.kind} of {len(post.body)} bytes to {post.life}: {post.response.status}",)
    return Finding(rule, post.sent - START, post.account, words, story)
