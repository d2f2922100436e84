"""The generated TypeScript, compiled by `tsc --strict` with the golden examples as literals of its types."""

import shutil
import subprocess
from pathlib import Path

import pytest

import schemas
from schemas.documents.typescript import typescript
from schemas.messages import VALUES
from tests.unit.schemas.test_documents import EXAMPLES, model_of

pytestmark = pytest.mark.installation

PROJECT = Path(__file__).parent / "typescript"
OPTIONS = ["--strict", "--noEmit", "--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler"]
SMS = (Path(schemas.__file__).parent / "examples" / "sms-received.pingme-callback.json").read_text("utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the compiler, from the lock file alone, and the generated module."""
    if not shutil.which("npm"):
        pytest.skip("apt-get install npm")
    directory = tmp_path_factory.mktemp("typescript") / "project"
    shutil.copytree(PROJECT, directory)
    options = ("--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
    subprocess.run(["npm", "ci", *options], cwd=directory, check=True, capture_output=True, timeout=120)
    (directory / "smsbus.ts").write_text(typescript(), "utf-8")
    return directory


def compiled(project: Path, text: str) -> list[str]:
    """Return what the compiler complains about."""
    names = ", ".join([*(value.__name__ for value in VALUES), "Values"])
    (project / "check.ts").write_text(f'import type {{ {names} }} from "./smsbus";\n{text}', "utf-8")
    command = ["node_modules/.bin/tsc", *OPTIONS, "check.ts"]
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120)
    complaints = [line for line in (ran.stdout + ran.stderr).splitlines() if not line.startswith("  ")]
    assert bool(complaints) == bool(ran.returncode)
    return complaints


def test_the_golden_examples_are_of_its_types(project):
    lines = [
        f"export const example{number}: {model_of(example).__name__} = {example.read_text('utf-8')};"
        for number, example in enumerate(EXAMPLES)
    ]
    lines += [f'export type Of{value.__name__} = NonNullable<Values["{value.TOPIC}"]>["account"];' for value in VALUES]

    assert compiled(project, "\n".join(lines)) == []


def test_it_takes_words_of_tomorrow_and_says_what_may_be_null(project):
    text = f"""
const sms: SmsReceived = {SMS};
export const later: SmsReceived = {{ ...sms, freshness: "delayed", provider: "newcomer" }};
export const digits: number = sms.code?.length ?? 0;
export const fresh: boolean = sms.freshness === "live";
"""

    assert compiled(project, text) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("export const code: string = sms.code;", "TS2322"),
        ("export const id: number = sms.id;", "TS2322"),
        ("sms.text = null;", "TS2540"),
        ("export const parsed: SmsReceived = { id: sms.id };", "TS2740"),
        ("export const other: Values['sms.received.v1'] = null as unknown as WatchEnded;", "TS2740"),
        ("export const sequence: string = sms.provider_fields.country;", "TS18047"),
    ],
)
def test_the_compiler_sees_a_wrong_use(project, wrong, said):
    complaints = compiled(project, f"declare const sms: SmsReceived;\n{wrong}\n")

    assert len(complaints) == 1, complaints
    assert said in complaints[0]
