"""A token is rotated in the text of smsbus.toml: one insertion, and every other byte stays."""

import tomllib

import pytest

from app.rotation import with_token_first

NEW = "NEW-token"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            '# mine\n[accounts.shop]\nprovider = "pingme" # x\ncallback_tokens = ["old"]  # y\n[kafka]\n',
            '# mine\n[accounts.shop]\nprovider = "pingme" # x\ncallback_tokens = ["NEW-token", "old"]  # y\n[kafka]\n',
        ),
        (
            "[accounts.shop]\ncallback_tokens = 'a,b'\n",
            "[accounts.shop]\ncallback_tokens = 'NEW-token,a,b'\n",
        ),
        (
            '[accounts.shop]\r\n  callback_tokens="old"\r\n',
            '[accounts.shop]\r\n  callback_tokens="NEW-token,old"\r\n',
        ),
        (
            '[ accounts . shop ] # here\ncallback_tokens = [\n  "a",\n  "b",\n]\n',
            '[ accounts . shop ] # here\ncallback_tokens = ["NEW-token", \n  "a",\n  "b",\n]\n',
        ),
        (
            '[accounts.shop]\nprovider = "pingme"\n',
            '[accounts.shop]\ncallback_tokens = ["NEW-token"]\nprovider = "pingme"\n',
        ),
        ("[accounts.shop]", '[accounts.shop]\ncallback_tokens = ["NEW-token"]'),
        ("[accounts.shop]\ncallback_tokens = []\n", '[accounts.shop]\ncallback_tokens = ["NEW-token", ]\n'),
        (
            '[accounts.bar]\ncallback_tokens = ["x"]\n[accounts.shop]\ncallback_tokens = ["y"]\n',
            '[accounts.bar]\ncallback_tokens = ["x"]\n[accounts.shop]\ncallback_tokens = ["NEW-token", "y"]\n',
        ),
        (
            '[accounts.shop]\napp_key = "k"\n[accounts.b]\ncallback_tokens = ["x"]\n',
            '[accounts.shop]\ncallback_tokens = ["NEW-token"]\napp_key = "k"\n[accounts.b]\ncallback_tokens = ["x"]\n',
        ),
    ],
)
def test_the_new_token_comes_first_and_nothing_else_changes(old, new):
    assert with_token_first(old, "shop", NEW) == new
    tomllib.loads(new)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[accounts.shops]\ncallback_tokens = ["a"]\n',
        'accounts.shop.callback_tokens = ["a"]\n',
        'accounts = {shop = {callback_tokens = ["a"]}}\n',
        '[accounts.shop]\ncallback_tokens = """a"""\n',
        '[accounts.shop]\n"callback_tokens" = ["a"]\n',
        '[accounts.shop]\nbase_url = """\ncallback_tokens = ["a"]\n"""\n',
        "[accounts.shop]\nbroken = \n",
    ],
)
def test_what_takes_more_than_an_insertion_is_left_to_a_person(text):
    assert with_token_first(text, "shop", NEW) is None
