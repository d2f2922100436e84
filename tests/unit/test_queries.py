"""The alerts and dashboards of deploy/ ask for what the program exports. No Grafana and no Alertmanager runs here."""

import re
import shutil
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.core import Metric

from tests.queries import ALERTS, DASHBOARDS, Query, grouped, panels, queries, rules, selectors
from tests.unit.test_docs import OPERATIONS, first_column, section
from tests.whole_registry import sample_names, whole_registry

OF_PROMETHEUS = frozenset({"job", "instance", "process"})  # the last one of --workers
CASES = Path(__file__).parents[1] / "prometheus" / "alerts.test.yaml"
PAGES = {
    "SmsbusCallbacksRefused",
    "SmsbusSmsWaiting",
    "SmsbusPollsOverdue",
    "SmsbusNothingPublished",
    "SmsbusTargetAbsent",
}
QUERIES = list(queries())
CONFIGS = re.findall(r"```yaml\n(.*?)```", section(OPERATIONS, "Prometheus"), re.DOTALL)

with_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="needs promtool, of Debian's package prometheus"
)


@pytest.fixture
async def families(tmp_path: Path) -> list[Metric]:
    async with AsyncExitStack() as stack:
        return list((await whole_registry(tmp_path, stack)).collect())


def labels_of(families: list[Metric]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"up": set()}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


# ---- queries -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.place)
def test_every_query_is_promql(query: Query) -> None:
    assert list(selectors(query.text))


async def test_every_metric_of_a_query_is_exported_with_the_labels_that_it_asks_for(families: list[Metric]) -> None:
    exported, wrong = labels_of(families), []
    for query in QUERIES:
        asked = list(selectors(query.text))
        wrong += [f"{query.place}: {one.name}" for one in asked if one.name not in exported]
        wrong += [
            f"{query.place}: {label} of {one.name}"
            for one in asked
            for label in one.labels - OF_PROMETHEUS - exported.get(one.name, set())
        ]
        labels = OF_PROMETHEUS.union(*(exported.get(one.name, set()) for one in asked))
        wrong += [f"{query.place}: grouped by {label}" for label in grouped(query.text) - labels]

    assert wrong == []


async def test_every_metric_is_on_a_dashboard(families: list[Metric]) -> None:
    ours = {re.sub("_(bucket|sum|count)$", "", name) for name in sample_names(families) if name.startswith("smsbus_")}
    shown = {
        re.sub("_(bucket|sum|count)$", "", one.name)
        for query in QUERIES
        if ": " in query.place
        for one in selectors(query.text)
    }

    assert ours - shown == set()


# ---- dashboards --------------------------------------------------------------------------------------------------


def places(panel: dict[str, Any]) -> set[tuple[int, int]]:
    at = panel["gridPos"]
    return {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}


def test_there_is_one_dashboard_to_begin_with_and_one_for_detail() -> None:
    assert {name: board["uid"] for name, board in DASHBOARDS.items()} == {
        "overview": "smsbus-overview",
        "detail": "smsbus-detail",
    }


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_can_be_drawn(name: str) -> None:
    board, taken = DASHBOARDS[name], set()
    for panel in board["panels"]:
        assert not places(panel) & taken, panel["title"]
        taken |= places(panel)

    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert {panel["datasource"]["uid"] for panel in panels(name)} == {"${datasource}"}
    variables = {f"${each['name']}" for each in board["templating"]["list"]}
    asked = {
        word for panel in panels(name) for target in panel["targets"] for word in re.findall(r"\$\w+", target["expr"])
    }
    assert asked - variables == {"$__rate_interval"}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_all_jobs_are_those_of_smsbus_and_none_beside_them_on_the_same_prometheus(name: str) -> None:
    (job,) = (each for each in DASHBOARDS[name]["templating"]["list"] if each["name"] == "job")

    assert job["query"] == job["definition"] == "label_values(smsbus_build_info, job)"
    assert job["includeAll"]
    assert "allValue" not in job  # it would stand for every job there is; without it All is each of the list
    assert job["current"]["value"] == ["$__all"]


def test_the_overview_counts_the_targets_that_are_up_and_those_that_are_down() -> None:
    (targets,) = (panel for panel in panels("overview") if panel["title"] == "Targets")

    assert {each["legendFormat"]: each["expr"] for each in targets["targets"]} == {
        "up": 'sum(up{job=~"$job"}) or vector(0)',
        "down": 'count(up{job=~"$job"} == 0) or vector(0)',
    }
    (down,) = targets["fieldConfig"]["overrides"]
    assert down["matcher"] == {"id": "byName", "options": "down"}
    ((_, steps),) = ((each["id"], each["value"]["steps"]) for each in down["properties"])
    assert [(step["color"], step["value"]) for step in steps] == [("green", None), ("red", 1)]


def test_the_overview_says_whose_fault_it_is() -> None:
    titles = [panel["title"] for panel in DASHBOARDS["overview"]["panels"]]

    assert [title for title in titles if title in {"Callers", "Us", "Providers", "Kafka"}] == [
        *("Callers", "Us", "Providers", "Kafka"),  # as numbers at the top
        *("Callers", "Us", "Providers", "Kafka"),  # as rows with what is behind them
    ]


# ---- alerts ------------------------------------------------------------------------------------------------------


def test_at_most_five_alerts_wake_somebody() -> None:
    severities = {rule["alert"]: rule["labels"]["severity"] for rule in rules()}

    assert {alert for alert, severity in severities.items() if severity == "page"} == PAGES
    assert {severity for alert, severity in severities.items() if alert not in PAGES} == {"ticket"}
    assert len(severities) == len(rules())


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_is_and_where_it_is_explained(rule: dict[str, Any]) -> None:
    anchor = "-".join(re.findall("[A-Z][a-z]*", rule["alert"])).lower()

    assert rule["annotations"].keys() == {"summary", "description", "runbook"}
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{anchor}"
    assert all(rule["annotations"].values())


def test_the_page_has_every_alert_and_no_other() -> None:
    assert first_column(section(OPERATIONS, "Alerts")) == {rule["alert"] for rule in rules()}


def test_every_alert_is_seen_to_fire_and_not_to_fire() -> None:
    checks = [check for case in yaml.safe_load(CASES.read_text())["tests"] for check in case["alert_rule_test"]]

    for rule in rules():
        seen = {bool(check["exp_alerts"]) for check in checks if check["alertname"] == rule["alert"]}
        assert seen == {True, False}, rule["alert"]


@with_promtool
@pytest.mark.parametrize(
    "command", [["check", "rules", "--lint-fatal", str(ALERTS)], ["test", "rules", str(CASES)]], ids=" ".join
)
def test_promtool_finds_them_right(command: list[str]) -> None:
    done = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


# ---- scraping ----------------------------------------------------------------------------------------------------


def test_the_page_has_a_configuration_for_this_machine_and_one_for_another() -> None:
    here, elsewhere = (yaml.safe_load(config)["scrape_configs"][0] for config in CONFIGS)

    assert here["static_configs"] == [{"targets": ["127.0.0.1:8081"]}]
    assert (elsewhere["scheme"], elsewhere["authorization"]) == ("https", {"credentials_file": "smsbus-token"})
    assert all("smsbus" in each["job_name"] for each in (here, elsewhere))


@with_promtool
@pytest.mark.parametrize("config", CONFIGS, ids=["here", "elsewhere"])
def test_prometheus_takes_the_configurations_of_the_page(config: str, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(config)
    (tmp_path / "smsbus-token").write_text("a token")
    shutil.copy(ALERTS, tmp_path)

    done = subprocess.run(
        ["promtool", "check", "config", str(tmp_path / "prometheus.yml")], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
