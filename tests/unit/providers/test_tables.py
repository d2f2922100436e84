"""Each client file opens with a table of what the provider responds and which function reads it; it must be true."""

import ast
import importlib
from pathlib import Path

import pytest

import providers
from providers import APIS

SHARED = ("handler_api", "handler_api_tokens", "smsman", "smsman_rent")
FILES = sorted(Path(providers.__file__).parent.glob("*.py"))
ENDPOINTS = [
    (provider, name, endpoint.parse.__qualname__.partition(".")[0])
    for provider, api in APIS.items()
    for name, endpoint in api.endpoints.items()
]
TEXT = {path.stem: ast.get_docstring(ast.parse(path.read_text())) or "" for path in FILES}


def rows(provider: str) -> list[str]:
    files = [text for stem, text in TEXT.items() if stem in {provider, f"{provider}_rent"}]
    return [line for text in files for line in text.splitlines()]


@pytest.mark.parametrize(("provider", "method", "parser"), ENDPOINTS)
def test_every_method_is_in_its_client_s_table_with_the_function_that_reads_it(provider, method, parser):
    assert any(f"`{method}`" in row and f"`{parser}`" in row for row in rows(provider))


@pytest.mark.parametrize("stem", [stem for stem in TEXT if "read by" in TEXT[stem]])
def test_every_function_that_a_table_names_exists(stem):
    named = [line.rsplit("`", 2)[1] for line in TEXT[stem].splitlines() if line.endswith("`") and "  " in line]
    modules = [importlib.import_module(f"providers.{each}") for each in (stem, *SHARED)]

    assert named
    for name in named:
        module, _, function = name.rpartition(".")
        owners = [importlib.import_module(f"providers.{module}")] if module else modules
        assert any(hasattr(each, function) for each in owners) or name in TEXT, name
