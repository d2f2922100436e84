"""What is said of a public address: names, certificates, redirects; and never a token."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from yarl import URL

from app.checks import public_address
from app.checks.callback_url import _Answer, _problems
from app.checks.finding import Finding
from app.checks.public_address import address_findings, of_addresses, of_certificate

NOW = datetime(2026, 11, 29, tzinfo=UTC)
BEGINS = "Nov  5 00:00:00 2026 GMT"
ENDS = "Feb  3 00:00:00 2027 GMT"


def certificate(names: tuple[str, ...] = ("sms.example.org",)) -> dict:
    return {"notBefore": BEGINS, "notAfter": ENDS, "subjectAltName": tuple(("DNS", name) for name in names)}


def test_a_certificate_has_names_and_days():
    found = of_certificate("sms.example.org", certificate(), NOW)

    assert found == Finding("ok", "certificate: for sms.example.org, valid for 66 more days, to 2027-02-03")


def test_one_that_ends_soon_was_not_renewed():
    found = of_certificate("sms.example.org", certificate(), NOW + timedelta(days=60))

    assert found.mark == "warning"
    assert "valid for 6 more days" in found.text
    assert "renewed" in found.text


@pytest.mark.parametrize(
    ("addresses", "marks"),
    [
        (["203.0.114.7"], ["ok"]),
        (["127.0.1.1"], ["warning"]),
        (["203.0.114.7", "10.0.0.7"], ["ok", "warning"]),
        (["fe80::1%eth0"], ["ok", "warning"]),
    ],
)
def test_an_address_that_is_not_public_is_said(addresses, marks):
    findings = list(of_addresses("sms.example.org", addresses))

    assert [each.mark for each in findings] == marks
    assert all(address in findings[0].text for address in addresses)


def test_one_of_six_days_is_renewed_later():
    short = certificate() | {"notBefore": "Jan 28 00:00:00 2027 GMT"}
    ends = datetime(2027, 2, 3, tzinfo=UTC)

    marks = [of_certificate("sms.example.org", short, ends - timedelta(days=left)).mark for left in (3, 1)]

    assert marks == ["ok", "warning"]


def test_each_address_has_a_finding_where_they_differ(monkeypatch):
    said = {"203.0.114.7": Finding("ok", "good"), "203.0.114.8": Finding("failed", "certificate: bad"), "::1": None}

    async def of(_host, address, *_):
        return said[address]

    monkeypatch.setattr(public_address, "_certificate_finding", of)

    def found(*addresses):
        return asyncio.run(public_address._certificate_findings("sms.example.org", addresses, 443, NOW))

    assert found("203.0.114.7") == [Finding("ok", "good")]
    assert found("::1") == []
    assert found(*said) == [
        Finding("ok", "good (at 203.0.114.7)"),
        Finding("failed", "certificate: bad (at 203.0.114.8)"),
        Finding("warning", "port 443 does not answer from here (at ::1)"),
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(-2, "Name or service not known"), "Name or service not known"),
        (UnicodeError("label empty or too long"), "it is no host name"),
    ],
)
async def test_a_name_without_a_record_is_a_failure(monkeypatch, error, said):
    class Loop:
        async def getaddrinfo(self, *_, **__):
            raise error

    monkeypatch.setattr(public_address.asyncio, "get_running_loop", Loop)

    [found] = await address_findings(URL("https://sms.example.org"), NOW)

    assert found.mark == "failed"
    assert f"sms.example.org is not found ({said})" in found.text


@pytest.mark.parametrize(
    ("location", "said"),
    [("https://www.example.org/v1/pingme/SECRET", "to https://www.example.org:"), ("/v1/SECRET", "to another path:")],
)
def test_a_redirect_is_said_without_the_token(location, said):
    [problem] = _problems(_Answer(308, location, 0.1), _Answer(308, location, 0.1), "http://example.org")

    assert "answers 308" in problem
    assert said in problem
    assert "SECRET" not in problem
