"""One concept, one name: names that the project gave up stay given up, in the program and in its tests."""

import ast
from pathlib import Path

import pytest

from tests.parsed import parsed

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "app",
    "bench",
    "bus",
    "forwarding",
    "inbox",
    "pollers",
    "providers",
    "receiver",
    "sandbox",
    "schemas",
    "tests",
)
GONE = {
    "AccountGate": "AccountThrottle",
    "BusFull": "NotDurable",
    "CommandGroup": "ShardGroup",
    "Ear": "RecordingClient",
    "Foreign": "LibraryFilter",
    "Heard": "Conversation",
    "House": "RunningServer",
    "HttpFetcher": "HttpClient",
    "LaneKey": "TopicPartition",
    "Looks": "Scheduler",
    "NotNow": "RetryBatch",
    "Offer": "OptionalEndpoint",
    "RawAnswer": "RawResponse",
    "Refusal": "ProviderError",
    "Refused": "BatchRejected or InvalidCallback",
    "StartRefused": "StartupError",
    "Store": "ClaimedJournal",
    "Street": "PairedServers",
    "Surroundings": "the collaborators themselves",
    "Trouble": "Alarm or ProviderError",
    "adopt_every": "orphan_scan_interval",
    "hushed": "silenced",
    "repeats_remembered": "dedup_cache_size",
    "rest_the_collector": "tune_gc",
    "unpromised": "not_durable",
    "worker_serves": "worker_up",
}
"""Each with what the same thing is called now."""
GONE_WORDS = {"door": "receiver, or CallbackServer"}
"""The same for words that no name contains, and no file's."""


def defined(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
    return {name.strip("_") for name in names}


def now_called(name: str) -> str | None:
    return next((called for word, called in GONE_WORDS.items() if word in name.lower()), GONE.get(name))


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_has_a_name_that_was_given_up(folder: str) -> None:
    found = {
        (str(file.relative_to(ROOT)), name): called
        for file in (ROOT / folder).rglob("*.py")
        for name in {*defined(file), *file.relative_to(ROOT).with_suffix("").parts}
        if (called := now_called(name))
    }
    assert found == {}
