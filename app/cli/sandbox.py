"""`smsbus sandbox`: the simulated providers alone, for developing consumers without real accounts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.exit import Code, end, or_stdin, readable_errors, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.server import Sandbox
    from sandbox.settings import Scenario


def sandbox(
    scenario: Annotated[str | None, typer.Option(metavar="FILE", help="Scenario file, or mild, storm, outage.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any free one.")] = 8099,
    callback_url: Annotated[
        str | None, typer.Option(help="Also simulate PingMe, posting to this URL; -: read it from stdin.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File for the token of /control/*. Default: sandbox-PORT.token in data_dir.")
    ] = None,
) -> None:
    """Simulate the providers until Ctrl-C; print the settings that point smsbus at them."""
    import asyncio

    from sandbox.scenario import ScenarioError, load
    from sandbox.settings import Scenario

    with readable_errors():
        try:
            chosen = Scenario() if scenario is None else load(scenario)
        except ScenarioError as error:
            raise end(Code.USAGE, *str(error).splitlines()) from None
        asyncio.run(_serve(chosen, port, or_stdin(callback_url) if callback_url else None, token_file))


async def _serve(scenario: "Scenario", port: int, callback_url: str | None, token_file: Path | None) -> None:
    import asyncio
    import errno
    import signal

    from app.cli.sandbox_token import default_file, keep
    from sandbox.server import Sandbox

    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    running = Sandbox(scenario, port=port)
    try:
        await running.start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise end(Code.USAGE, f"port {port} is in use: choose another with --port") from None
    kept = token_file or default_file(running.port)
    try:
        keep(running.token, kept)
        typer.echo("\n".join(_settings(running)))
        say(f"the record of simulated SMS is at {running.url}/book; Ctrl-C ends")
        say(f"the token of {running.url}/control is in {kept}")
        if callback_url is not None:
            await running.post_callbacks(callback_url, stop)
        await stop.wait()
    finally:
        kept.unlink(missing_ok=True)
        await running.stop()


def _settings(running: "Sandbox") -> "Iterator[str]":
    for provider, account in running.accounts.items():
        variable = f"SMSBUS_ACCOUNTS__{provider.upper()}__"
        yield f"{variable}PROVIDER={provider}"
        yield f"{variable}API_KEY={account.settings.key}"
        yield f"{variable}BASE_URL={running.base_url(provider)}"
