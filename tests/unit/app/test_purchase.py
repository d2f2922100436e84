"""How a bought order is watched, from what the purchase said."""

import pytest

from app.cli import purchase
from app.cli.purchase import wanted_of
from providers.results import Order

NOW_MS = 1_700_000_000_000  # 2023-11-14 22:13:20


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(purchase, "now_ms", lambda: NOW_MS)


def order(**values):
    return Order(**{"order_kind": "activation", "order_id": "7", "number": "1651", **values})


@pytest.mark.parametrize(
    ("expires", "zone", "end"),
    [
        ("2023-11-14 22:33:20", "UTC", "2023-11-14T22:43:20.000Z"),
        ("2023-11-15T02:13:20", "Europe/Moscow", "2023-11-14T23:23:20.000Z"),
        ("2023-12-14T22:13:20+00:00", "Europe/Moscow", "2023-12-14T22:23:20.000Z"),
        ("2023-11-14 22:13:19", "UTC", None),
        ("0000-00-00 00:00:00", "UTC", None),
        ("soon", "UTC", None),
        ("2033-11-14 22:13:20", "UTC", None),
        (None, "UTC", None),
    ],
)
def test_an_order_is_watched_until_its_own_end_and_a_little_longer(expires, zone, end):
    assert wanted_of("pool", zone, order(expires=expires), {}).expires_at == end


@pytest.mark.parametrize(
    ("parameters", "service"),
    [({"service": "tg"}, "tg"), ({"application_id": "3"}, "3"), ({"service": ""}, None), ({}, None)],
)
def test_the_service_is_what_was_asked_for(parameters, service):
    assert wanted_of("pool", "UTC", order(), parameters).service == service


def test_the_command_that_watches_it_can_be_pasted(tmp_path):
    rent = order(order_kind="rent", number="+1 651", expires="2023-11-14 23:13:20")
    wanted = wanted_of("pool", "UTC", rent, {"service": "a b", "activationType": "2"})

    said, command = wanted.unwatched(tmp_path / "smsbus.toml")

    assert "the rent 7 with the number +1 651 was bought" in said
    expected = "smsbus watch add pool 7 '--number=+1 651' --rent '--service=a b' --type=voice --until=70m --config="
    assert command.strip() == f"{expected}{tmp_path}/smsbus.toml"
