"""Where requests may go."""

import socket

import pytest

from forwarding.address import Forbidden, guarded, is_allowed, is_forbidden_host, target_url

PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
PRIVATE = [
    "127.0.0.1", "127.8.8.8", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00:ec3::254",
    "0.0.0.0", "::", "::ffff:10.1.2.3", "::ffff:127.0.0.1", "64:ff9b::a01:203", "2002:7f00:1::",
    "64:ff9b:1::a01:203", "::ffff:0:10.1.2.3", "::10.1.2.3", "fec0::1", "192.0.0.192", "192.88.99.1",
    "3fff::1", "5f00::1",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:224.0.0.1",
    "64:ff9b:1::a9fe:a9fe", "::ffff:0:169.254.169.254", "::169.254.169.254", "fd00:ec2::254", "fd00:ec2::23",
    "fd20:ce::254",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str):
    assert is_allowed(address, private=False)
    assert is_allowed(address, private=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_allowed_where_that_is_said(address: str):
    assert not is_allowed(address, private=False)
    assert is_allowed(address, private=True)


@pytest.mark.parametrize("address", NEVER)
def test_a_link_local_address_never_is(address: str):
    assert not is_allowed(address, private=False)
    assert not is_allowed(address, private=True)


def test_a_host_that_is_a_name_is_judged_when_it_is_connected_to():
    assert not is_forbidden_host("localhost", private=False)
    assert is_forbidden_host("127.0.0.1", private=False)
    assert is_forbidden_host("169.254.169.254", private=True)


def test_no_socket_is_made_for_what_is_not_allowed():
    found = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("10.0.0.1", 80))

    with pytest.raises(Forbidden):
        guarded(private=False)(found)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("localhost:3000/hook", "http://localhost:3000/hook"),
        ("127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("[::1]:3000/a?b=c", "http://[::1]:3000/a?b=c"),
        ("app.localhost/hook", "http://app.localhost/hook"),
        ("example.com/hook", "https://example.com/hook"),
        ("example.com:8443/hook#part", "https://example.com:8443/hook"),
        ("http://example.com/hook", "http://example.com/hook"),
        ("https://user:pass@example.com/", "https://user:pass@example.com/"),
        ("localhost:3000/hook?next=https://example.com", "http://localhost:3000/hook?next=https://example.com"),
        ("example.com/hook?next=https://example.com", "https://example.com/hook?next=https://example.com"),
    ],
)
def test_a_url_is_read_as_people_write_it(text: str, url: str):
    assert str(target_url(text)) == url


@pytest.mark.parametrize(
    "text",
    [
        "", "/hook", "ftp://example.com", "http://", "localhost:port/", "a b", "http://[::1", "http://a\n.b/",
        "https://us%3Aer:pass@example.com/", "https://user:%E2%82%AC@example.com/", "https://€:pass@example.com/",
        "127.1:3000/hook", "http://2852039166/", "http://0251.0376.0251.0376/", "http://169.254.169.254./",
    ],
)  # fmt: skip
def test_what_is_no_url_is_said(text: str):
    with pytest.raises(ValueError, match="localhost:3000/hook"):
        target_url(text)
