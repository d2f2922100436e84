"""No unit test has a socket, so that all of them are quick; those that are marked `loopback` may have one."""

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.get_closest_marker("loopback") is None:
        item.add_marker("disable_socket")
