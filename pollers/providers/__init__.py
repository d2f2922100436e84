"""The polling providers, one file each. A new one is a file here and a line below."""

from typing import Final

from pollers.providers.client import Client
from pollers.providers.grizzlysms import GrizzlySms
from pollers.providers.smsman import SmsMan
from pollers.providers.smsverified import SmsVerified

PROVIDERS: Final[dict[str, type[Client]]] = {
    "smsverified": SmsVerified,
    "grizzlysms": GrizzlySms,
    "smsman": SmsMan,
}


def has_kind(provider: str, order_kind: str) -> bool:
    """Tell whether there are such orders at this provider."""
    return order_kind != "rent" or PROVIDERS[provider].has_rents
