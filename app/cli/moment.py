"""The option `--since` of commands that take no cursor."""

import typer


def moment_of(since: str | None) -> int | None:
    """Return the moment, milliseconds since 1970; None: the option was not given. Ends the command if it is none."""
    from app.process import now_ms
    from app.since import moment_in

    found = moment_in(since, now_ms()) if since is not None else None
    if since is not None and found is None:
        message = "write it as 10m (or 30s, 2h, 7d) or as a past time like 2026-03-25T03:17:06Z"
        raise typer.BadParameter(message, param_hint="--since")
    return found
