"""What is remembered of topics that were right."""

import pytest

from app.checks.topics import marker
from app.settings.load import load


@pytest.mark.parametrize(
    "other",
    [{"SMSBUS_KAFKA__BOOTSTRAP_SERVERS": "other:9092"}, {"SMSBUS_KAFKA__TOPIC_PREFIX": "x."}],
)
def test_what_was_verified_elsewhere_says_nothing_about_here(environment, other):
    environment({"SMSBUS_BUS__JOURNAL_DIR": "/j"})
    here = marker(load(), "all")

    environment(other)

    assert marker(load(), "all") != here
    assert marker(load(), "all").parent == here.parent
