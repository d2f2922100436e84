"""Answers: from flags, from an earlier run, from defaults, from a person; and what is said where one is missing."""

import pytest

from app.init.answers import Answers, InitError, accounts_after, accounts_of, complete, kept, secrets_of
from tests.unit.app.init.installation import DOMAIN, answers


def test_flags_win_over_what_was_answered_before_and_that_over_defaults():
    before = {"form": "systemd", "domain": "old.example.org", "page": "page.example.org"}

    found = complete({"domain": DOMAIN}, before, None, takes_defaults=True)

    assert (found.domain, found.page, found.accounts) == (DOMAIN, "page.example.org", {"shop": "pingme"})


def test_a_person_is_asked_for_what_is_not_known_and_told_the_default():
    asked = []

    def ask(question: str, default: str | None) -> str:
        asked.append(default)
        return default or f" {DOMAIN} "

    found = complete({"accounts": "a=pingme,b=grizzlysms"}, {}, ask, takes_defaults=False)

    assert asked == ["systemd", None, "ssh"]
    assert found == Answers(form="systemd", domain=DOMAIN, accounts={"a": "pingme", "b": "grizzlysms"})


def test_a_person_is_asked_again_at_once_and_told_what_is_needed():
    said = iter(["localhost", DOMAIN, "shop", "shop=pingme,shop=smsman", "shop=pingme"])
    asked = []

    def ask(question: str, _: str | None) -> str:
        asked.append(question)
        return next(said)

    found = complete({"form": "systemd", "page": "ssh"}, {}, ask, takes_defaults=False)

    assert found == answers()
    assert asked[1].startswith("a host name like sms.example.org is needed (an international one as xn--…). ")
    assert len(asked) == 5


def test_host_names_are_in_lower_case():
    assert answers(domain="SMS.Example.org", page="Page.example.org").page == "page.example.org"
    assert answers(domain="SMS.Example.org").domain == DOMAIN


@pytest.mark.parametrize(("given", "flag"), [({}, "--systemd or --compose"), ({"form": "systemd"}, "--domain")])
def test_where_nobody_can_be_asked_the_flag_is_named(given, flag):
    with pytest.raises(InitError, match=f"^{flag} is missing"):
        complete(given, {}, None, takes_defaults=False)


@pytest.mark.parametrize(
    ("name", "value", "flag"),
    [
        ("domain", "https://sms.example.org", "--domain"),
        ("domain", "sms.example.org {", "--domain"),
        ("domain", "localhost", "--domain"),
        ("domain", "192.0.2.1", "--domain"),
        ("domain", f"{'a' * 64}.example.org", "--domain"),
        ("domain", "straße.example.org", "--domain"),
        ("page", "page example", "--page"),
        ("page", "nodot", "--page"),
        ("page", DOMAIN, "--page"),
        ("kafka", "broker:70000", "--kafka"),
        ("kafka", "broker$x:9092", "--kafka"),
        ("kafka", "broker", "--kafka"),
        ("kafka", "fd00::1:9092", "--kafka"),
        ("program", "smsbus", "--program"),
        ("accounts", "shop=nobody", "--account"),
        ("accounts", "shop", "--account"),
        ("accounts", "Shop!=pingme", "--account"),
    ],
)
def test_a_wrong_answer_is_named_by_its_flag_and_not_repeated(name, value, flag):
    with pytest.raises(InitError, match=f"^{flag}: ") as refused:
        complete({"form": "systemd", "domain": DOMAIN, name: value}, {}, None, takes_defaults=True)

    assert value not in str(refused.value)


@pytest.mark.parametrize(
    ("added", "removed", "said"),
    [
        ({"shop": "smsman"}, [], "shop is of pingme"),
        ({}, ["other"], "no account other; there are: shop"),
        ({}, ["shop"], "the last account stays"),
    ],
)
def test_accounts_are_not_replaced_and_not_all_removed(added, removed, said):
    with pytest.raises(InitError, match=said):
        accounts_after({"shop": "pingme"}, added, removed)

    assert accounts_after({"shop": "pingme"}, {"shop": "smsman"}, ["shop"]) == {"shop": "smsman"}


def test_an_account_that_is_given_twice_is_refused():
    with pytest.raises(InitError, match="given twice"):
        accounts_of("shop=pingme,shop=smsman")


def test_answers_are_kept_as_they_were_and_without_a_secret(tmp_path):
    said = answers(accounts={"shop": "pingme", "grizzly": "grizzlysms"}, page="page.example.org")
    (tmp_path / "init.toml").write_text(said.as_toml())

    assert complete({}, kept(tmp_path), None, takes_defaults=False) == said
    assert kept(tmp_path / "nowhere") == {}


def test_a_kafka_may_be_at_an_address_of_ipv6():
    assert answers(kafka="[fd00::1]:9092,broker:9092").kafka == "[fd00::1]:9092,broker:9092"


@pytest.mark.parametrize("text", [b"domain =", b"domain = '\xff'"])
def test_a_broken_file_of_answers_is_named(tmp_path, text):
    (tmp_path / "init.toml").write_bytes(text)

    with pytest.raises(InitError, match=r"init\.toml: "):
        kept(tmp_path)


def test_each_account_has_a_secret_and_containers_an_admin_token():
    accounts = {"shop": "pingme", "grizzly": "grizzlysms"}

    of_systemd = secrets_of(answers(accounts=accounts))
    of_compose = secrets_of(answers("compose", accounts=accounts))

    assert [(each.name, each.key_of) for each in of_systemd] == [
        ("shop.callback_tokens", None),
        ("grizzly.api_key", "grizzly"),
    ]
    assert [each.variable for each in of_systemd] == [
        "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS_FILE",
        "SMSBUS_ACCOUNTS__GRIZZLY__API_KEY_FILE",
    ]
    assert [each.name for each in of_compose[2:]] == ["admin.token"]
