"""What judges from outside knows nothing of the inside."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
OURS = {path.parent.name for path in TESTS.parent.glob("*/__init__.py")} - {"tests"}
FOREIGN = {"aiohttp", "aiokafka", "hypothesis", "matplotlib", "pytest", "rich", "standardwebhooks"}
SHARED = {"tests.kafka_fixtures", "tests.loop_thread", "tests.pipes", "tests.secure_kafka"}  # of all tests
FILES = [TESTS / "audit.py", *TESTS.glob("e2e/**/*.py"), *TESTS.glob("faults/**/*.py")]


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (
                (f"{node.module}.{alias.name}" if node.module == "tests" else node.module) for alias in node.names
            )


def _is_outside(module: str) -> bool:
    if module.startswith("tests."):
        return module in SHARED or module.startswith(("tests.e2e", "tests.faults"))
    return module.split(".", maxsplit=1)[0] in FOREIGN | sys.stdlib_module_names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_nothing_that_judges_from_outside_imports_anything_of_ours(path):
    assert [module for module in _imported(path) if not _is_outside(module)] == []


def test_what_it_shares_with_other_tests_knows_the_local_kafka_alone():
    paths = [TESTS / f"{module.split('.')[1]}.py" for module in SHARED]
    ours = {module for path in paths for module in _imported(path) if module.split(".")[0] in OURS}

    assert {"app", "schemas"} <= OURS
    assert ours
    assert {".".join(module.split(".")[:2]) for module in ours} == {"app.local_kafka"}
