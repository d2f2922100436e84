"""The page of the metrics is the registry: names and labels, and the conventions of Prometheus."""

import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from prometheus_client.core import Metric

from tests.unit.test_docs import OPERATIONS, section
from tests.whole_registry import labels_by_name, whole_registry


@pytest.fixture
async def families(tmp_path: Path) -> list[Metric]:
    async with AsyncExitStack() as stack:
        return list((await whole_registry(tmp_path, stack)).collect())


def said() -> dict[str, set[str]]:
    rows = re.findall(r"^\| (`smsbus[^|]*) \| ([^|]*)\|", section(OPERATIONS, "Metrics"), re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", labels)) for names, labels in rows for name in re.findall(r"\w+", names)}


async def test_the_page_has_every_metric_with_its_labels_and_no_other(families: list[Metric]) -> None:
    assert said() == labels_by_name(families)


async def test_every_metric_has_a_sample_here(families: list[Metric]) -> None:
    assert [family.name for family in families if not family.samples] == []


async def test_no_counter_or_help_is_without_words_and_no_gauge_is_named_as_a_counter(families: list[Metric]) -> None:
    assert [family.name for family in families if not family.documentation.strip()] == []
    assert [family.name for family in families if family.type == "gauge" and family.name.endswith("_total")] == []


async def test_what_never_happened_has_no_moment(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        registry = await whole_registry(tmp_path, stack, happened=False)
        exported = {sample.name for family in registry.collect() for sample in family.samples if sample.value == 0}

    assert {name for name in exported if name.endswith("_timestamp_seconds")} == set()


async def test_no_label_has_two_things_in_it(families: list[Metric]) -> None:
    values = {value for family in families for sample in family.samples for value in sample.labels.values()}

    assert {value for value in values if ":" in value} == set()
