"""What tests of the app share: an environment without our variables."""

import os

import pytest


@pytest.fixture
def environment(monkeypatch):
    """Set these variables, and no others of ours."""
    for name in [name for name in os.environ if name.upper().startswith("SMSBUS")]:
        monkeypatch.delenv(name)

    def fill(variables: dict[str, str]) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return fill
