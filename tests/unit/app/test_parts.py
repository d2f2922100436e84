import pytest
from pydantic import SecretStr

from app import parts
from app.sections import Account
from app.settings import Settings

TOKEN, KEY = [SecretStr("t" * 30)], SecretStr("k" * 30)
ACCOUNTS = {
    "shop": Account(provider="pingme", callback_tokens=TOKEN),
    "market": Account(provider="grizzlysms", api_key=KEY),
}


@pytest.mark.parametrize(
    ("role", "names"), [("all", {"shop", "market"}), ("receiver", {"shop"}), ("pollers", {"market"})]
)
def test_the_journal_is_shared_by_the_accounts_of_the_role(role, names):
    assert parts.accounts_of(Settings(accounts=ACCOUNTS), role) == names
