"""The options that say which SMS are wanted: the same words in every command."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.cli.completion import account_names, provider_names
from app.filter_words import WORD_OF

if TYPE_CHECKING:
    from inbox.filters import Filter

EITHER_NAME = {"token_normalize_func": lambda token: WORD_OF.get(token.replace("-", "_"), token)}
"""The `context_settings` of a command with filters: it takes them by the event's names, too, like --client-ref."""


def given(text: str | None) -> str | None:
    """Refuse an empty text."""
    if text is not None and not text.strip():
        message = "it is empty: is a variable of the shell not set?"
        raise typer.BadParameter(message)
    return text


def _served(provider: str | None) -> str | None:
    """Refuse what is no provider: nothing would ever match."""
    names = provider_names()
    if provider is None or provider in names:
        return provider
    meant = get_close_matches(provider, names, 1)
    message = f"it must be one of {', '.join(names)}" + (f" (did you mean {meant[0]}?)" if meant else "")
    raise typer.BadParameter(message)


To = Annotated[
    str | None, typer.Option("--to", metavar="NUMBER", help="Only SMS received by this number.", callback=given)
]
OfAccount = Annotated[
    str | None,
    typer.Option("--account", help="Only of this account.", callback=given, autocompletion=account_names),
]
Provider = Annotated[
    str | None,
    typer.Option("--provider", help="Only of this provider.", callback=_served, autocompletion=provider_names),
]
Service = Annotated[
    str | None, typer.Option("--service", help="Only of this service, in the provider's word.", callback=given)
]
Ref = Annotated[str | None, typer.Option("--ref", help="Only with this client_ref.", callback=given)]
OfWatch = Annotated[str | None, typer.Option("--watch", metavar="ID", help="Only of this watch.", callback=given)]
OfOrder = Annotated[
    str | None, typer.Option("--order", help="Only of the order with this id of the provider.", callback=given)
]
Freshness = Annotated[
    Literal["live", "recovered", "history", "replayed"] | None, typer.Option("--freshness", help="Only this kind.")
]
HasCode = Annotated[
    bool | None,
    typer.Option("--code/--no-code", help="Only with a code, or only without."),
]
Contains = Annotated[
    str | None, typer.Option("--contains", help="Only with this in the text, in any case.", callback=given)
]


def filter_of(
    to: str | None = None,
    has_code: bool | None = None,
    *,
    account: str | None = None,
    provider: str | None = None,
    service: str | None = None,
    ref: str | None = None,
    watch: str | None = None,
    order: str | None = None,
    freshness: str | None = None,
    contains: str | None = None,
) -> "Filter":
    """Return the filter of these options."""
    from inbox.filters import Filter
    from schemas.normalize import number_written

    number = number_written(to) if to is not None else None
    if number == "":
        message = "it must be a number, without letters"
        raise typer.BadParameter(message, param_hint="--to")
    return Filter(
        recipient=number,
        account=account,
        provider=provider,
        service=service,
        client_ref=ref,
        watch_id=watch,
        order_id=order,
        freshness=freshness,
        has_code=has_code,
        contains=contains,
    )
