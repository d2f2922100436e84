"""`make chart`: write what is generated of deploy/: the schema, Kafka's contract, and the manifests without Helm."""

import json
from pathlib import Path
from typing import Final

import yaml

from tests.chart.helm import CHART, render
from tests.chart.kafka_contract import contract
from tests.chart.values_schema import values_schema

KUBERNETES: Final = CHART.parent / "kubernetes"
EXAMPLES: Final = {"plain": KUBERNETES, "everything": KUBERNETES / "everything"}
"""Values in `ci/`, and where their manifests are."""
HELM_ONLY: Final = ("app.kubernetes.io/managed-by:", "helm.sh/chart:")
HEAD: Final = "# Made by `make chart` from deploy/chart with ci/{}-values.yaml: change those.\n"


def generated() -> dict[Path, str]:
    """Return each generated file that the chart itself needs, with its text."""
    return {
        CHART / "values.schema.json": _as_json(values_schema()),
        CHART / "files" / "kafka.json": _as_json(contract()),
        CHART / "files" / "alerts.yaml": (CHART.parent / "prometheus" / "alerts.yaml").read_text(),
    }


def manifests() -> dict[Path, str]:
    """Return the files of rendered manifests, with their text."""
    values = {name: yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text()) for name in EXAMPLES}
    files = {}
    for name, rendered in zip(values, render(*values.values()), strict=True):
        assert not rendered.error, rendered.error
        for template, text in rendered.files.items():
            if template != "NOTES.txt" and text.strip():
                files[EXAMPLES[name] / template] = HEAD.format(name) + _for_kubectl(text)
    return files


def _for_kubectl(text: str) -> str:
    """Return the manifests without Helm's own labels, and without blank lines and a separator at the beginning."""
    lines = [line.rstrip() for line in text.splitlines() if not line.strip().startswith(HELM_ONLY)]
    return "\n".join(line for line in lines if line).strip().removeprefix("---\n") + "\n"


def _as_json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _write(files: dict[Path, str]) -> None:
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    _write(generated())
    for stale in KUBERNETES.rglob("*.yaml"):
        stale.unlink()
    _write(manifests())
