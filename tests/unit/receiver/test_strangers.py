"""Who asked, and how often it is said that somebody had a wrong token."""

import ipaddress

import pytest
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from receiver.strangers import SAY_EVERY, Strangers, client_of

PROXIES = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]


def request_of(remote: str, *forwarded: str):
    headers = [("X-Forwarded-For", each) for each in forwarded]
    return make_mocked_request("GET", "/", headers=headers).clone(remote=remote)


@pytest.mark.parametrize(
    ("remote", "forwarded", "client"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # anybody can write a header
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.7, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.7", "198.51.100.1,10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["2001:db8::1, fd00::2"], "2001:db8::1"),
        ("10.0.0.1", ["<script>"], "unknown"),
        ("10.0.0.1", ["", ","], "unknown"),
        ("10.0.0.1", ["10.0.0.9"], "10.0.0.9"),
    ],
)
def test_the_client_is_who_the_last_proxy_that_we_do_not_trust_was_told(remote, forwarded, client):
    assert client_of(request_of(remote, *forwarded), PROXIES) == client


def test_the_first_stranger_is_said_at_once_and_the_rest_are_counted():
    now = 1000.0
    strangers = Strangers("unknown_callback_token", clock=lambda: now)
    request = request_of("203.0.113.9")
    with capture_logs() as lines:
        for number in range(3000):
            now = 1000.0 + number * 0.01
            strangers.refused(request)

    assert [(line["event"], line["client"], line["refused"]) for line in lines] == [
        ("unknown_callback_token", "203.0.113.9", 1),
        ("unknown_callback_token", "203.0.113.9", int(SAY_EVERY * 100)),
        ("unknown_callback_token", "203.0.113.9", int(SAY_EVERY * 100)),
    ]
