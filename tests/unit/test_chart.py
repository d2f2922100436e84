"""deploy/chart: what is generated is fresh, a typo is refused, and what is rendered fits together."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings.load import Settings
from app.settings.names import ANY, places
from bus.kafka.acls import rights
from bus.settings import KafkaSettings
from pollers.poller import GROUP
from schemas.topics import TOPICS
from tests.chart.__main__ import EXAMPLES, KUBERNETES, generated, manifests
from tests.chart.helm import AVAILABLE, CHART, Rendered, render
from tests.chart.values_schema import OF_THE_CHART, accounts, forwards, settings

with_helm = pytest.mark.skipif(not AVAILABLE, reason="helm-python-sdk has no wheel for this machine")

PAGE = (CHART.parents[1] / "docs" / "operations.md").read_text()
SHOP: dict[str, Any] = {"accounts": {"shop": {"provider": "pingme"}}}
GRIZZLY: dict[str, Any] = {"accounts": {"grizzly": {"provider": "grizzlysms"}}}
LOGIN = {"bootstrap_servers": "one:9093,two:9094", "security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512"}
TYPOS: dict[str, dict[str, Any]] = {
    "repilcas": {"receiver": {"repilcas": 3}},
    "recever": {"recever": {"replicas": 3}},
    "lame_dock": {"settings": {"receiver": {"lame_dock": 10}}},
    "reciever": {"settings": {"reciever": {"lame_duck": 10}}},
    "max_request_per_second": {"accounts": {"grizzly": {"provider": "grizzlysms", "max_request_per_second": 1}}},
    "api_key": {"accounts": {"grizzly": {"provider": "grizzlysms", "api_key": "secret"}}},
    "grizzly": {"accounts": {"grizzly": {"provider": "grizzly"}}},
    "servce": {"forwards": {"orders": {"servce": "tg"}}},
    "url": {"forwards": {"orders": {"url": "https://example.com/hook"}}},
    "Shop": {"accounts": {"Shop": {"provider": "pingme"}}},
    "limit": {"pollers": {"resources": {"limit": {"memory": "1Gi"}}}},
    "existingSecrets": {"inbox": {"existingSecrets": "mine"}},
    "data_dir": {"settings": {"data_dir": "/data"}},
    "sasl_plain_password": {"settings": {"kafka": {"sasl_plain_password": "secret"}}},
    "lame_duck": {"settings": {"receiver": {"lame_duck": 301}}},
    "security_protocol": {"settings": {"kafka": {"security_protocol": "TLS"}}},
    "host": {"receiver": {"ingress": {"enabled": True}}},
    "cluster": {"strimzi": {"enabled": True}},
}


@cache
def examples() -> dict[str, Rendered]:
    values = [yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text()) for name in EXAMPLES]
    return dict(zip(EXAMPLES, render(*values), strict=True))


def with_values(**values: Any) -> Rendered:
    (rendered,) = render(SHOP | values)
    assert rendered.error == ""
    return rendered


def variables(workload: dict[str, Any]) -> dict[str, Any]:
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each.get("value") for each in container["env"]}


def test_the_schema_and_the_contract_of_the_chart_are_those_of_the_program() -> None:
    assert {path: path.read_text() for path in generated()} == generated(), "run `make chart`"


@with_helm
def test_the_manifests_without_helm_are_those_of_the_chart() -> None:
    there = {path: path.read_text() for path in KUBERNETES.rglob("*.yaml")}

    assert there == manifests(), "run `make chart`"


def test_every_setting_is_a_value_unless_it_is_a_secret_or_the_chart_s_own() -> None:
    wanted = {".".join(place) for place, is_secret in places(Settings) if not is_secret} - OF_THE_CHART

    sections = settings()["properties"]
    given = {f"{section}.{name}" for section in sections for name in sections[section]["properties"]}
    given |= {f"accounts.{ANY}.{name}" for name in accounts()["additionalProperties"]["properties"]}
    given |= {f"forwards.{ANY}.{name}" for name in forwards()["additionalProperties"]["properties"]}
    assert given == wanted


@with_helm
def test_a_typo_is_refused_with_its_name() -> None:
    rendered = dict(zip(TYPOS, render(*TYPOS.values()), strict=True))

    for name, each in rendered.items():
        assert name in each.error, (name, each.error)
        assert each.files == {}


@with_helm
@pytest.mark.parametrize("name", EXAMPLES)
def test_helm_lint_finds_nothing(name: str) -> None:
    assert examples()[name].lint == []


@with_helm
def test_without_an_account_there_is_nothing_to_run_and_it_says_so() -> None:
    (rendered,) = render({})

    assert "accounts: name at least one" in rendered.error


@with_helm
def test_a_part_runs_where_it_has_accounts() -> None:
    called, polled = render(SHOP, GRIZZLY)

    workloads = [
        {each["metadata"]["name"] for each in rendered.objects() if each["kind"] in {"StatefulSet", "Deployment"}}
        for rendered in (called, polled)
    ]
    assert workloads == [{"smsbus-receiver", "smsbus-inbox"}, {"smsbus-pollers", "smsbus-inbox"}]


@with_helm
def test_a_login_is_each_part_s_own_and_comes_from_its_secret() -> None:
    values = {"settings": {"kafka": LOGIN}, "kafka": {"caSecret": "brokers"}, "pollers": {"kafkaUser": "poll"}}
    (rendered,) = render({"accounts": SHOP["accounts"] | GRIZZLY["accounts"]} | values)

    users, secrets = {}, {}
    for part, kind in (("receiver", "StatefulSet"), ("pollers", "StatefulSet"), ("inbox", "Deployment")):
        workload = rendered.one(kind, f"smsbus-{part}")
        users[part] = variables(workload)["SMSBUS_KAFKA__SASL_PLAIN_USERNAME"]
        (volume,) = (each for each in workload["spec"]["template"]["spec"]["volumes"] if each["name"] == "kafka")
        secrets[part] = [source["secret"]["name"] for source in volume["projected"]["sources"]]
    assert users == {"receiver": "smsbus-receiver", "pollers": "poll", "inbox": "smsbus-inbox"}
    assert secrets == {part: ["brokers", user] for part, user in users.items()}


@with_helm
def test_certificates_need_tls() -> None:
    (rendered,) = render(SHOP | {"kafka": {"caSecret": "brokers"}})

    assert "need settings.kafka.security_protocol SSL or SASL_SSL, not PLAINTEXT" in rendered.error


@with_helm
def test_numbers_and_lists_are_written_as_the_program_reads_them() -> None:
    rendered = with_values(
        settings={
            "bus": {"journal_max_bytes": 10_737_418_240},
            "receiver": {"lame_duck": 7.5, "fast_lane": False, "trusted_proxies": ["10.0.0.0/8", "192.168.0.0/16"]},
        }
    )
    receiver = rendered.one("StatefulSet", "smsbus-receiver")

    given = variables(receiver)
    assert given["SMSBUS_BUS__JOURNAL_MAX_BYTES"] == "10737418240"
    assert given["SMSBUS_RECEIVER__LAME_DUCK"] == "7.5"
    assert given["SMSBUS_RECEIVER__FAST_LANE"] == "false"
    assert given["SMSBUS_RECEIVER__TRUSTED_PROXIES"] == "10.0.0.0/8,192.168.0.0/16"
    assert receiver["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 43


@with_helm
def test_kafka_is_reached_at_all_of_its_ports() -> None:
    policy = with_values(settings={"kafka": LOGIN}).one("NetworkPolicy", "smsbus-receiver")

    ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert ports == {53, 9093, 9094}


@with_helm
def test_a_budget_has_one_of_the_two_amounts() -> None:
    budget = with_values(receiver={"podDisruptionBudget": {"minAvailable": 1}}).one(
        "PodDisruptionBudget", "smsbus-receiver"
    )

    assert {name: amount for name, amount in budget["spec"].items() if name != "selector"} == {"minAvailable": 1}


@with_helm
def test_names_that_yaml_would_read_as_something_else_stay_names() -> None:
    names = {"nameOverride": "123", "receiver": {"existingSecret": "123", "priorityClassName": "null"}}
    (rendered,) = render(SHOP | names)

    receiver = next(each for each in rendered.objects() if each["kind"] == "StatefulSet")
    pod = receiver["spec"]["template"]["spec"]
    secrets = [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume]
    assert (secrets, pod["priorityClassName"]) == (["123"], "null")
    assert receiver["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] == "123"


@with_helm
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"fullnameOverride": "1.sms"}, "fullnameOverride"),
        ({"commonLabels": {"app.kubernetes.io/name": "mine"}}, "app.kubernetes.io/name"),
        ({"receiver": {"podLabels": {"app.kubernetes.io/component": "mine"}}}, "app.kubernetes.io/component"),
        (
            {"networkPolicy": {"enabled": True}, "settings": {"kafka": {"bootstrap_servers": "kafka:9092,"}}},
            "HOST:PORT",
        ),
    ],
    ids=["service name", "common label", "pod label", "broker"],
)
def test_what_kubernetes_would_refuse_is_refused_before(values: dict[str, Any], said: str) -> None:
    (rendered,) = render(SHOP | values)

    assert said in rendered.error
    assert rendered.files == {}


@with_helm
def test_a_strimzi_topic_is_the_contract_s_and_outlives_the_release() -> None:
    topics = [each for each in examples()["everything"].objects() if each["kind"] == "KafkaTopic"]

    assert {topic["spec"]["topicName"]: (topic["spec"]["partitions"], topic["spec"]["config"]) for topic in topics} == {
        f"shop.{topic.name}": (topic.partitions, {**topic.configs, "min.insync.replicas": "2"}) for topic in TOPICS
    }
    assert {topic["metadata"]["annotations"]["helm.sh/resource-policy"] for topic in topics} == {"keep"}


@with_helm
@pytest.mark.parametrize(
    ("part", "commands"), [("receiver", False), ("pollers", False), ("inbox", True), ("forward", False)]
)
def test_a_strimzi_user_has_the_rights_that_topics_print_prints(part: Any, *, commands: bool) -> None:
    user = examples()["everything"].one("KafkaUser", f"smsbus-{part}")
    kafka = KafkaSettings(topic_prefix="shop.")

    given = {
        (
            acl["resource"]["type"],
            acl["resource"].get("name", ""),
            acl["resource"].get("patternType", "literal"),
            *acl["operations"],
        )
        for acl in user["spec"]["authorization"]["acls"]
    }
    assert given == {
        (
            {"transactional-id": "transactionalId"}.get(right.resource, right.resource),
            right.name,
            {"prefixed": "prefix"}.get(right.pattern, right.pattern),
            *right.operations,
        )
        for right in rights(kafka, part, GROUP, commands=commands)
    }


@with_helm
def test_a_strimzi_user_s_secret_is_the_one_that_its_part_mounts() -> None:
    everything = examples()["everything"]
    users = {each["metadata"]["name"] for each in everything.objects() if each["kind"] == "KafkaUser"}

    mounted = set()
    parts = {"receiver": "StatefulSet", "pollers": "StatefulSet", "inbox": "Deployment", "forward": "Deployment"}
    for part, kind in parts.items():
        volumes = everything.one(kind, f"smsbus-{part}")["spec"]["template"]["spec"]["volumes"]
        sources = [source for volume in volumes for source in volume.get("projected", {}).get("sources", [])]
        mounted |= {source["secret"]["name"] for source in sources}
    assert mounted == {*users, "my-cluster-cluster-ca-cert"}


@with_helm
def test_an_alert_is_about_metrics_that_exist() -> None:
    rules = examples()["everything"].one("PrometheusRule", "smsbus")["spec"]["groups"][0]["rules"]
    used = {name for rule in rules for name in re.findall(r"\bsmsbus_\w+", rule["expr"])}

    assert len(rules) >= 5
    assert used <= set(re.findall(r"`(smsbus_\w+)`", PAGE))


def with_rules(**values: Any) -> Rendered:
    """Render what the Prometheus operator is given; `values` are of `prometheusRule`."""
    return with_values(
        fullnameOverride="inbound", podMonitor={"enabled": True}, prometheusRule={"enabled": True, **values}
    )


def rules_of(rendered: Rendered) -> dict[str, Any]:
    groups = rendered.one("PrometheusRule", "inbound")["spec"]["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


@with_helm
@pytest.mark.parametrize(("job", "expected"), [("", "sms/inbound"), ("mine", "mine")])
def test_the_alerts_are_about_the_job_that_the_pod_monitor_makes_whatever_its_name(job: str, expected: str) -> None:
    rendered = with_rules(job=job)
    asked = {
        found for rule in rules_of(rendered).values() for found in re.findall(r"\bjob([=~]+\"[^\"]*\")", rule["expr"])
    }

    assert "jobLabel" not in rendered.one("PodMonitor", "inbound")["spec"]  # then it is NAMESPACE/NAME
    assert asked == {f'="{expected}"'}


@with_helm
def test_an_alert_links_to_the_runbook_where_it_has_an_address() -> None:
    without, linked = rules_of(with_rules()), rules_of(with_rules(runbookUrl="https://git.example/docs/runbook.md"))

    refused = "SmsbusCallbacksRefused"
    assert without[refused]["annotations"]["runbook"] == "docs/runbook.md#smsbus-callbacks-refused"
    assert {rule["annotations"].get("runbook") for rule in linked.values()} == {None}
    assert linked[refused]["annotations"]["runbook_url"] == (
        "https://git.example/docs/runbook.md#smsbus-callbacks-refused"
    )


@with_helm
def test_the_notes_say_where_to_post_and_how_to_get_in() -> None:
    notes = examples()["everything"].files["NOTES.txt"]

    assert "https://sms.example.org/v1/pingme/TOKEN" in notes
    assert "port-forward service/smsbus-inbox 8081" in notes
    assert "get secret smsbus-inbox-tokens -o jsonpath='{.data.admin-token}' | base64 -d" in notes
    assert "get secret callbacks -o jsonpath='{.data.shop-callback-tokens}' | base64 -d" in notes


@with_helm
def test_a_left_volume_is_drained_by_a_job_of_its_own() -> None:
    rendered = with_values(drain={"claims": ["journal-smsbus-receiver-2", "journal-smsbus-pollers-3"]})
    jobs = [each["spec"]["template"]["spec"] for each in rendered.objects() if each["kind"] == "Job"]

    assert [job["volumes"][0]["persistentVolumeClaim"]["claimName"] for job in jobs] == [
        "journal-smsbus-receiver-2",
        "journal-smsbus-pollers-3",
    ]
    assert [job["containers"][0]["args"][:3] for job in jobs] == [["journal", "drain", "/var/lib/smsbus/journal"]] * 2


def test_the_versions_of_chart_and_program_are_one() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = (CHART.parents[1] / "pyproject.toml").read_text()

    assert f'version = "{chart["appVersion"]}"' in project
    assert Path(CHART / "README.md").is_file()
