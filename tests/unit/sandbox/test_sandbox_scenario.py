"""Scenario files: the shipped ones and the page about them, and what a stranger is told about a mistake."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from sandbox import settings
from sandbox.scenario import ScenarioError, load, parse, shipped

PAGE = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text()
TABLES = {
    "smsverified": settings.SmsVerifiedSettings,
    "grizzlysms": settings.GrizzlySmsSettings,
    "smsman": settings.SmsManSettings,
    "pingme": settings.PingMeSettings,
    "orders": settings.Orders,
    "orders.sms": settings.PlannedSms,
    "bad": settings.Fault,
}


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_scenario_parses_and_stands_on_the_page(name):
    assert load(name) != settings.Scenario()
    assert f"`{name}`" in PAGE


def test_an_empty_file_is_the_default_scenario():
    assert parse("") == settings.Scenario()


def test_a_file_is_read_by_its_path(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[[bad]]\nkind = "429"\nfrom = 5\nretry_after = "soon"\n')

    (fault,) = load(str(path)).bad
    assert (fault.kind, fault.start, fault.retry_after) == ("429", 5, "soon")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("seed = ", "scenario is not valid TOML: Invalid value"),
        ("sede = 1", "scenario: sede: no such key; did you mean seed?"),
        ('[smsman]\ncurv = "tail"', "scenario: smsman.curv: no such key; did you mean curve?"),
        ('[[bad]]\nkind = "resett"', "scenario: bad.1.kind: Input should be '429'"),
        ('[[bad]]\nkind = "429"\n[[bad]]\nkind = "429"\nshare = 2', "scenario: bad.2.share: Input should be less than"),
        ('[[bad]]\nkind = "429"\nform = 2', "scenario: bad.1.form: no such key; did you mean from?"),
        ('[[orders]]\nprovider = "smsman"\nsms = [{ att = 1 }]', "orders.1.sms.1.att: no such key; did you mean at?"),
        ("[smsman]\nsms = [3, 1]", "scenario: smsman: sms: the first number is the minimum"),
        ("[bad]\nkind = 1", "scenario: bad: Input should be a valid tuple"),
    ],
)
def test_a_mistake_is_named_with_its_place(text, sentence):
    with pytest.raises(ScenarioError) as caught:
        parse(text)

    assert sentence in str(caught.value)
    assert "pydantic" not in str(caught.value)


def test_a_file_that_is_not_there_is_named_with_the_shipped_ones():
    with pytest.raises(ScenarioError, match=r"strom cannot be read; shipped scenarios: mild, outage, storm"):
        load("strom")


def keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_the_page_s_table_has_every_key_and_no_other():
    rows = set(re.findall(r"^\| `(seed|[a-z]+\.[a-z0-9_.]+)` \|", PAGE, re.MULTILINE))
    providers = ("smsverified", "grizzlysms", "smsman")
    shared = keys(settings.AccountSettings)

    expected = {"seed"} | {f"provider.{key}" for key in shared}
    for table, model in TABLES.items():
        expected |= {f"{table}.{key}" for key in keys(model) - (shared if table in providers else set())}
    assert rows == expected


def test_every_kind_of_bad_day_stands_on_the_page():
    kinds = settings.Fault.model_fields["kind"].annotation.__args__

    assert set(re.findall(r"^\| `([a-z0-9_]+)` \| (?:effect|no effect)", PAGE, re.MULTILINE)) == set(kinds)
