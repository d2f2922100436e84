"""What GitHub reads: the workflow runs `.ci/run` and nothing it does not pin; the issue forms are complete."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.fields import PROVIDERS

GITHUB = Path(__file__).parents[2] / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))
FORMS = sorted(GITHUB.glob("ISSUE_TEMPLATE/*.yml"))
# https://docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-issue-forms
TOP_LEVEL = {"name", "description", "title", "labels", "assignees", "projects", "type", "body"}
NEEDED = {
    "markdown": {"value"},
    "input": {"label"},
    "textarea": {"label"},
    "dropdown": {"label", "options"},
    "checkboxes": {"label", "options"},
}


def read(path: Path) -> dict[str, Any]:
    """YAML 1.1, as PyYAML reads it, takes a workflow's key `on` for a boolean: it is `True` in here."""
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in read(workflow)["jobs"].values() for step in job["steps"]]


def test_ci_runs_what_everybody_runs() -> None:
    (ci,) = WORKFLOWS
    commands = [step["run"] for step in steps(ci) if "run" in step]

    assert {"push", "pull_request"} <= set(read(ci)[True])
    assert commands == [".ci/run"]
    assert (GITHUB.parent / ".ci" / "run").stat().st_mode & 0o100


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_pins_its_actions_and_may_only_read(workflow: Path) -> None:
    uses = re.findall(r"uses: (.*)", workflow.read_text())

    assert len(uses) == sum("uses" in step for step in steps(workflow))
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in uses)
    assert read(workflow)["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 90 for job in read(workflow)["jobs"].values())


def test_there_is_a_form_for_bugs_and_one_for_providers() -> None:
    assert [form.stem for form in FORMS] == ["bug", "provider-quirk"]


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_a_form_has_what_github_needs_and_no_more(form: Path) -> None:
    asked = read(form)
    elements = asked["body"]
    answered = [element for element in elements if element["type"] != "markdown"]
    labels = [element["attributes"]["label"] for element in answered]
    ids = [element["id"] for element in answered]

    assert set(asked) <= TOP_LEVEL
    assert all(isinstance(asked[key], str) and asked[key].strip() for key in ("name", "description"))
    assert all(NEEDED[element["type"]] <= set(element["attributes"]) for element in elements)
    assert answered
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[\w-]+", each) for each in ids)
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_that_nothing_personal_is_sent(form: Path) -> None:
    (promise,) = [element for element in read(form)["body"] if element["type"] == "checkboxes"]

    assert all(option["required"] is True for option in promise["attributes"]["options"])
    assert re.search("phone number.*token.*API key", promise["attributes"]["options"][0]["label"])


def test_the_form_for_providers_names_those_that_are_served() -> None:
    (provider,) = [element for element in read(FORMS[1])["body"] if element.get("id") == "provider"]

    assert {name.lower().replace("-", "") for name in provider["attributes"]["options"]} == set(PROVIDERS)


def test_a_pull_request_is_asked_how_its_test_failed() -> None:
    template = (GITHUB / "pull_request_template.md").read_text()

    assert "see it fail" in template
    assert "CHANGELOG.md" in template
