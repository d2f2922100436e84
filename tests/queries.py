"""The queries of deploy/: each with its place, parsed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import promql_parser
import yaml

DEPLOY = Path(__file__).parents[1] / "deploy"
DASHBOARDS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(DEPLOY.glob("grafana/*.json"))}
ALERTS = DEPLOY / "prometheus" / "alerts.yaml"
GRAFANA = {"$__rate_interval": "5m", "$__range": "1h"}


class Query(NamedTuple):
    """A query, and where it is."""

    place: str
    text: str


class Selector(NamedTuple):
    """What is selected: a metric, and the labels that have to match."""

    name: str
    labels: frozenset[str]


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARDS[name]["panels"] if panel["type"] != "row"]


def queries() -> Iterator[Query]:
    """Yield all of them; the variables of Grafana have a value."""
    for rule in rules():
        yield Query(rule["alert"], rule["expr"])
    for name in DASHBOARDS:
        for panel in panels(name):
            for target in panel["targets"]:
                text = target["expr"]
                for variable, value in GRAFANA.items():
                    text = text.replace(variable, value)
                yield Query(f"{name}: {panel['title']}", text)


def parsed(text: str) -> promql_parser.Expr:
    """Parse it; raises `ValueError`."""
    return promql_parser.parse(text)


def selectors(text: str) -> Iterator[Selector]:
    """Yield what a query selects."""
    found: list[promql_parser.VectorSelector] = []

    def see(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(parsed(text), see)
    for node in found:
        yield Selector(node.name, frozenset(matcher.name for matcher in node.matchers.matchers))


def grouped(text: str) -> set[str]:
    """Return the labels by which a query groups and joins."""
    lists = re.findall(r"\b(?:by|without|on|ignoring|group_left|group_right) \(([^)]*)\)", text)
    return {label for each in lists for label in re.findall(r"\w+", each)}
