"""Why a part does not start: the setting that is wrong is named, and no other."""

import asyncio
import errno
import socket

import pytest

from app.errors import StartupError, started


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            socket.gaierror(-2, "Name or service not known"),
            "SMSBUS_ADMIN__HOST cannot be used: Name or service not known",
        ),
        (OSError(errno.EADDRNOTAVAIL, "cannot assign"), "SMSBUS_ADMIN__HOST cannot be used: cannot assign"),
        (OSError(errno.EINVAL, "invalid argument"), "SMSBUS_ADMIN__HOST cannot be used: invalid argument"),
        (OSError(errno.EADDRINUSE, "address in use"), "SMSBUS_ADMIN__PORT=8081 cannot be used: address in use"),
        (PermissionError(errno.EACCES, "denied"), "SMSBUS_ADMIN__PORT=8081 cannot be used: denied"),
    ],
    ids=["no such name", "no address of ours", "an address without its zone", "taken", "forbidden"],
)
def test_a_listener_that_does_not_start_names_the_setting(error, said):
    async def start():
        raise error

    with pytest.raises(StartupError) as refused:
        asyncio.run(started(start(), "SMSBUS_ADMIN__PORT", 8081))

    assert refused.value.lines == [said]


def test_a_directory_that_cannot_be_used_is_no_host():
    async def start():
        raise OSError(errno.EINVAL, "invalid argument")

    with pytest.raises(StartupError, match=r"^SMSBUS_DATA_DIR=/x cannot be used: invalid argument$"):
        asyncio.run(started(start(), "SMSBUS_DATA_DIR", "/x"))
