"""`smsbus wait` with a token for reading waits as the operator's does, and says so where it may not open a watch."""

from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from app.cli import cli
from app.cli.exit import Code
from tests.browser.server import NUMBER, Smsbus

READS = "reads-reads-reads-reads"
Wait = Callable[..., Result]


@pytest.fixture(params=["", "shop", "grizzly"], ids=["of all accounts", "of shop", "of grizzly"])
def accounts(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def smsbus(accounts: str) -> Iterator[Smsbus]:
    smsbus = Smsbus()
    smsbus.admin = {"read_token": SecretStr(READS), "read_accounts": accounts}
    smsbus.start()
    yield smsbus
    smsbus.close()


@pytest.fixture
def wait(smsbus: Smsbus, monkeypatch: pytest.MonkeyPatch) -> Wait:
    monkeypatch.setenv("SMSBUS_URL", smsbus.url)
    monkeypatch.setenv("SMSBUS_TOKEN", READS)
    return lambda *arguments: CliRunner().invoke(cli, ["wait", *arguments, "--timeout", "20"])


def of_order(smsbus: Smsbus, code: str, order: str) -> None:
    watch = smsbus.order(order, NUMBER, "tg", sms_count=1)
    more = {"watch_id": watch, "order_kind": "activation", "order_id": order, "sequence": 0}
    smsbus.sms(f"code {code}", code=code, account="grizzly", provider="grizzlysms", received_via="poll", **more)


def test_it_waits_for_what_it_may_see(wait: Wait, smsbus: Smsbus, accounts: str) -> None:
    smsbus.sms("code 4711", code="4711")
    of_order(smsbus, "5822", "38496653")

    number = wait("--to", NUMBER, "--since", "10m")
    order = wait("grizzly", "38496653")

    first = "5822" if accounts == "grizzly" else "4711"
    assert (number.exit_code, number.stdout) == (Code.OK, f"{first}\n"), number.output
    if accounts == "shop":
        assert (order.exit_code, order.stdout) == (Code.FAILED, "")
    else:
        assert (order.exit_code, order.stdout) == (Code.OK, "5822\n"), order.output


@pytest.mark.parametrize(("more", "added"), [((), ""), (("--rent",), " --rent")], ids=["activation", "rent"])
def test_where_it_may_not_open_a_watch_it_says_who_does(
    wait: Wait, smsbus: Smsbus, accounts: str, more: tuple[str, ...], added: str
) -> None:
    refused = wait("grizzly", "77 1", *more)

    assert (refused.exit_code, refused.stdout) == (Code.FAILED, "")
    assert smsbus.writer.put_values == []
    if accounts == "shop":
        assert refused.stderr == "smsbus: This token (admin.read_token) reads the SMS of shop only.\n"
        return
    assert refused.stderr == (
        f"smsbus: this token sees no watch of grizzly '77 1'{added} and may not open one (admin.read_token; "
        f"admin.read_accounts says which accounts it sees): run `smsbus watch add grizzly '77 1'{added}` where smsbus "
        "runs, or set SMSBUS_TOKEN to the admin token\n"
    )
