"""What a shell completes besides commands, options and their choices."""

import typer


def account_names(context: typer.Context) -> list[str]:
    """Return the configured accounts; none where the settings cannot be read: a shell has nowhere to show why."""
    from app.settings.load import load
    from app.settings.names import SettingsError

    try:
        return [*load(context.params.get("config")).accounts]
    except (SettingsError, OSError):
        return []


def provider_names() -> list[str]:
    """Return the providers."""
    from schemas.fields import PROVIDERS

    return [*PROVIDERS]
