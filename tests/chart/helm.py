"""Render and lint the chart with Helm's own library, in a process of its own: Go's runtime stays out of the tests'.

`python -m tests.chart.helm` reads a list of values from stdin, as JSON, and prints what each renders to, or the error.
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

CHART: Final = Path(__file__).parents[2] / "deploy" / "chart"
AVAILABLE: Final = find_spec("helm_python") is not None
Values = dict[str, Any]


class Rendered(NamedTuple):
    """What a set of values renders to: files by template, or why they are refused; and what `helm lint` says."""

    files: dict[str, str]
    error: str
    lint: list[str]

    def objects(self) -> list[dict[str, Any]]:
        """Return all Kubernetes objects, in the order of their templates."""
        texts = [text for name, text in sorted(self.files.items()) if name != "NOTES.txt"]
        return [each for text in texts for each in yaml.safe_load_all(text) if each]

    def one(self, kind: str, name: str) -> dict[str, Any]:
        """Return the one object of this kind and name."""
        (found,) = (each for each in self.objects() if (each["kind"], each["metadata"]["name"]) == (kind, name))
        return found


def render(*values: Values) -> list[Rendered]:
    """Render the chart once for each set of values, as the release `smsbus` in the namespace `sms`."""
    program = [sys.executable, "-m", "tests.chart.helm"]
    done = subprocess.run(
        program, input=json.dumps(values), capture_output=True, text=True, check=True, cwd=CHART.parents[1], timeout=120
    )
    return [Rendered(**each) for each in json.loads(done.stdout)]


def _rendered(values: Values) -> Values:
    import helm_python as helm

    lint = helm.lint(CHART, values, strict=True, namespace="sms")
    said = [message["error"] for message in lint["messages"] if message["severity"] > 1] + lint["errors"]
    try:
        with helm.Chart.load(CHART) as chart:
            chart.validate_schema(values)
            files = chart.render(values, name="smsbus", namespace="sms")
    except helm.HelmError as error:
        return {"files": {}, "error": str(error), "lint": said}
    return {"files": {name.rpartition("/")[2]: text for name, text in files.items()}, "error": "", "lint": said}


if __name__ == "__main__":
    json.dump([_rendered(values) for values in json.load(sys.stdin)], sys.stdout)
