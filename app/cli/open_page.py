"""`smsbus open`: the page of a running service in the browser."""

from typing import Annotated

import typer

from app.cli.exit import Config, readable_errors


def open_page(
    print_only: Annotated[bool, typer.Option("--print", help="Print the URL, and open nothing.")] = False,
    config: Config = None,
) -> None:
    """Open the inbox of the service in the browser, and print its URL, which carries the token.

    The service is SMSBUS_URL with SMSBUS_TOKEN, or the one on this machine.
    """
    from app.service import address

    with readable_errors():
        url = address(config).page
        typer.echo(url)
        if not print_only:
            typer.launch(url)
