"""`check` looks at one thing after the other; those that need no broker are shown here."""

from datetime import UTC, datetime

import pytest

from app import checks
from app.settings import load

SHOP = {"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "x" * 22}
PUBLIC = {"SMSBUS_RECEIVER__PUBLIC_URL": "https://sms.example"}


@pytest.mark.parametrize(
    ("now", "mark"), [(datetime(1970, 1, 2, tzinfo=UTC), "failed"), (datetime(2027, 1, 1, tzinfo=UTC), "ok")]
)
def test_a_clock_that_was_never_set_is_found_out(now, mark):
    assert checks._clock(now).mark == mark


def test_an_account_with_an_unguessable_token_is_fine(environment):
    environment(SHOP | PUBLIC)

    assert [finding.mark for finding in checks._accounts(load())] == ["ok"]


def test_a_guessable_token_is_a_warning_that_does_not_show_it(environment):
    environment(SHOP | PUBLIC | {"SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "y" * 21})

    [finding] = checks._accounts(load())

    assert finding.mark == "warning"
    assert "`smsbus callback rotate shop`" in finding.text
    assert "yyy" not in finding.text


def test_no_account_is_a_failure_that_says_what_to_set(environment):
    environment({})

    [finding] = checks._accounts(load())

    assert finding.mark == "failed"
    assert "SMSBUS_ACCOUNTS__<NAME>__PROVIDER=pingme" in finding.text


def test_without_a_public_url_nobody_knows_what_pingme_sees(environment):
    environment(SHOP)

    warning, account = checks._accounts(load())

    assert warning.mark == "warning"
    assert "SMSBUS_RECEIVER__PUBLIC_URL" in warning.text
    assert account.mark == "ok"
