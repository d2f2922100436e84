"""What the contract tests share."""

from tests.audited import _audited, audit  # noqa: F401 - fixtures: every bus is audited
