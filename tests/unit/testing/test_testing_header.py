"""What pytest says at its start of the service that tests use."""

from types import SimpleNamespace

import pytest
from smsbus_testing.plugin import pytest_report_header

URL = "http://smsbus.example:8081"


@pytest.mark.parametrize(
    ("numbers", "url", "said"),
    [
        ([], None, "smsbus: the sandbox (sms_numbers is not set)"),
        ([], URL, "smsbus: the sandbox (SMSBUS_URL is set, but sms_numbers is not set)"),
        (["1"], URL, f"smsbus: {URL} (sms_numbers is set)"),
        (["1"], None, "smsbus: no service, since SMSBUS_URL is not set (sms_numbers is set)"),
    ],
)
def test_the_header_says_which_service_is_used_and_why(
    numbers: list[str], url: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SMSBUS_URL", raising=False)
    if url:
        monkeypatch.setenv("SMSBUS_URL", url)
    config = SimpleNamespace(getini={"sms_numbers": numbers}.get)

    assert pytest_report_header(config) == said  # type: ignore[arg-type]
