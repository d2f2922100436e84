"""values.schema.json: every value that the chart has, and the settings of smsbus as its own models know them."""

import re
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from app.settings.load import Settings
from app.settings.names import _holds_secret, _section
from app.settings.sections import Account
from forwarding.settings import ForwardSettings
from schemas.fields import PROVIDERS

Schema = dict[str, Any]
ROOT: Final = Path(__file__).parents[2]
ROW: Final = re.compile(r"^\| `(?P<place>[a-z_.<>]+)` \|[^|]*\| (?P<says>.*) \|$", re.MULTILINE)
LINK: Final = re.compile(r"\[([^]]*)\]\([^)]*\)")

OF_THE_CHART: Final = frozenset({
    "data_dir", "bus.journal_dir", "receiver.host", "receiver.port", "admin.host", "admin.port",
    "kafka.sasl_plain_username", "kafka.ssl_cafile", "kafka.ssl_certfile", "kafka.ssl_keyfile", "settings_version",
})  # fmt: skip
"""Settings that the chart sets itself: paths, hosts and ports of a pod, each part's login, a file's version."""

NAME: Final[Schema] = {"type": "string", "maxLength": 253, "pattern": "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"}
NAME_OR_NONE: Final[Schema] = {"type": "string", "maxLength": 253, "pattern": "^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$"}
TEXT: Final[Schema] = {"type": "string"}
YES_OR_NO: Final[Schema] = {"type": "boolean"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 1}
TEXTS: Final[Schema] = {"type": "object", "additionalProperties": TEXT}
PART_NAME: Final[Schema] = {"type": "string", "maxLength": 40, "pattern": "^([a-z]([a-z0-9-]*[a-z0-9])?)?$"}
"""Of what Services are named by: a label of DNS that begins with a letter."""
LABELS: Final[Schema] = {
    **TEXTS,
    "propertyNames": {
        "not": {"pattern": "^(app[.]kubernetes[.]io/(name|instance|component|version|managed-by)|helm[.]sh/chart)$"}
    },
}
"""More labels; those that the chart sets select pods, and can never be changed."""
ANYTHING: Final[Schema] = {"type": "object"}
OBJECTS: Final[Schema] = {"type": "array", "items": {"type": "object"}}
QUANTITY: Final[Schema] = {
    "type": ["string", "number"],
    "pattern": "^[0-9]+([.][0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei)?$",
}


def choice(*words: str) -> Schema:
    return {"type": "string", "enum": [*words]}


def section(**properties: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def values_schema() -> Schema:
    """Return the JSON Schema of the chart's values: a name that is not in it is refused."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the smsbus chart; made by `make chart` from the settings of smsbus",
        **section(**_cluster(), settings=settings(), accounts=accounts(), forwards=forwards(), **_parts(), **_extras()),
    }


def settings() -> Schema:
    """Return the schema of the sections of settings, without secrets and what the chart sets."""
    described = descriptions()
    sections = {}
    for name, field in Settings.model_fields.items():
        model, is_map = _section(field.annotation)
        if model is None or is_map:
            continue
        if properties := _properties(model, name, described):
            sections[name] = section(**properties)
    return section(**sections)


def accounts() -> Schema:
    """Return the schema of the accounts, without their keys and tokens."""
    properties = _properties(Account, "accounts.<name>", descriptions())
    provider = {**choice(*PROVIDERS), "description": "which provider it is"}
    return _by_name({**section(**{**properties, "provider": provider}), "required": ["provider"]})


def forwards() -> Schema:
    """Return the schema of the targets of forwarding, without their URLs and secrets."""
    properties = _properties(ForwardSettings, "forwards.<name>", descriptions())
    return _by_name(section(**{**properties, "provider": choice(*PROVIDERS)}))


def _by_name(schema: Schema) -> Schema:
    names = {"pattern": "^[a-z][a-z0-9]*(_[a-z0-9]+)*$", "maxLength": 64}
    return {"type": "object", "propertyNames": names, "additionalProperties": schema}


def descriptions() -> dict[str, str]:
    """Return what docs/configuration.md says of each setting."""
    page = (ROOT / "docs" / "configuration.md").read_text()
    rows = {found["place"]: LINK.sub(r"\1", found["says"]).strip() for found in ROW.finditer(page)}
    return {place: says for place, says in rows.items() if says}


def _properties(model: type[BaseModel], place: str, described: dict[str, str]) -> dict[str, Schema]:
    known = model.model_json_schema()["properties"]
    return {
        name: _plain(known[name], described.get(f"{place}.{name}"))
        for name, field in model.model_fields.items()
        if not _holds_secret(field.annotation) and f"{place}.{name}" not in OF_THE_CHART
    }


def _plain(schema: Schema, says: str | None) -> Schema:
    """Return pydantic's schema of a setting without `null`, which Helm takes for "not set"; a list may be one text."""
    options = [option for option in schema.get("anyOf", [schema]) if option != {"type": "null"}]
    (kept,) = options
    kept = {key: value for key, value in {**kept, **_default(schema)}.items() if key not in {"title", "anyOf"}}
    if kept.get("type") == "array":
        kept = {"type": ["array", "string"], "items": TEXT}
    return kept | ({"description": says} if says else {})


def _default(schema: Schema) -> Schema:
    return {"default": schema["default"]} if schema.get("default") is not None else {}


def _cluster() -> dict[str, Schema]:
    image = section(
        repository=TEXT,
        tag=TEXT,
        digest={"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
        pullPolicy=choice("Always", "IfNotPresent", "Never"),
    )
    kafka = section(caSecret=NAME_OR_NONE, clientCertificate=YES_OR_NO)
    pull_secrets = {"type": "array", "items": section(name=NAME)}
    named = {"nameOverride": NAME_OR_NONE, "fullnameOverride": PART_NAME, "commonLabels": LABELS}
    return {"global": ANYTHING, **named, "image": image, "imagePullSecrets": pull_secrets, "kafka": kafka}


def _part(**own: Schema) -> Schema:
    budget = section(maxUnavailable={"type": ["integer", "string"]}, minAvailable={"type": ["integer", "string"]})
    amounts = {"type": "object", "additionalProperties": QUANTITY}
    resources = section(limits=amounts, requests=amounts, claims=OBJECTS)
    env = {"type": "array", "items": {**section(name=TEXT, value=TEXT, valueFrom=ANYTHING), "required": ["name"]}}
    return section(
        replicas={"type": "integer", "minimum": 0},
        existingSecret=NAME_OR_NONE,
        kafkaUser=TEXT,
        kafkaSecret=NAME_OR_NONE,
        extraEnv=env,
        resources=resources,
        podDisruptionBudget=budget,
        podAnnotations=TEXTS,
        podLabels=LABELS,
        nodeSelector=TEXTS,
        tolerations=OBJECTS,
        affinity=ANYTHING,
        topologySpreadConstraints=OBJECTS,
        priorityClassName=NAME_OR_NONE,
        **own,
    )


def _parts() -> dict[str, Schema]:
    modes = {"type": "array", "items": choice("ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"), "minItems": 1}
    persistence = section(size=QUANTITY, storageClass=NAME_OR_NONE, accessModes=modes)
    port = {"type": "integer", "minimum": 1, "maximum": 65535}
    service = section(type=choice("ClusterIP", "NodePort", "LoadBalancer"), port=port, annotations=TEXTS)
    ingress = {
        **section(
            enabled=YES_OR_NO, className=NAME_OR_NONE, host=NAME_OR_NONE, tlsSecret=NAME_OR_NONE, annotations=TEXTS
        ),
        "if": {"properties": {"enabled": {"const": True}}},
        "then": {"properties": {"host": {"minLength": 1}}},
    }
    return {
        "receiver": _part(workers=COUNT, persistence=persistence, service=service, ingress=ingress),
        "pollers": _part(persistence=persistence),
        "inbox": _part(enabled=YES_OR_NO, commands=YES_OR_NO, readToken=YES_OR_NO),
        "forward": _part(),
    }


def _extras() -> dict[str, Schema]:
    policy = section(enabled=YES_OR_NO, callbacksFrom=OBJECTS, adminFrom=OBJECTS, extraEgress=OBJECTS)
    seconds = {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"}
    login = {"kafkaUser": TEXT, "kafkaSecret": NAME_OR_NONE}
    strimzi = {
        **section(
            enabled=YES_OR_NO,
            cluster=NAME_OR_NONE,
            apiVersion=choice("kafka.strimzi.io/v1", "kafka.strimzi.io/v1beta2"),
            namespace=NAME_OR_NONE,
            replicas=COUNT,
            users=YES_OR_NO,
            authentication=choice("scram-sha-512", "tls"),
        ),
        "if": {"properties": {"enabled": {"const": True}}},
        "then": {"properties": {"cluster": {"minLength": 1}}},
    }
    return {
        "networkPolicy": policy,
        "podMonitor": section(enabled=YES_OR_NO, interval=seconds, labels=TEXTS),
        "prometheusRule": section(enabled=YES_OR_NO, labels=TEXTS, job=TEXT, runbookUrl=TEXT),
        "strimzi": strimzi,
        "topicsJob": section(enabled=YES_OR_NO, **login),
        "drain": section(claims={"type": "array", "items": NAME, "uniqueItems": True}, timeout=COUNT, **login),
    }
