"""The running version."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def version() -> str:
    """Return the installed version; `unknown` in a checkout that was never installed."""
    try:
        return installed("smsbus")
    except PackageNotFoundError:
        return "unknown"
