"""The providers' HTTP APIs as typed clients, one file each. A new polled provider is a file here and a line below.

Imports nothing from the other packages: this one knows what an API says, not what happens with it. `pingme` is the
control API of the provider that calls us.
"""

from typing import Final

from providers.client import Api, Client
from providers.grizzlysms import GrizzlySms
from providers.pingme import PingMeControl
from providers.smsman import SmsMan
from providers.smsverified import SmsVerified

PROVIDERS: Final[dict[str, type[Client]]] = {
    "smsverified": SmsVerified,
    "grizzlysms": GrizzlySms,
    "smsman": SmsMan,
}
"""The polled providers."""
APIS: Final[dict[str, type[Api]]] = {"pingme": PingMeControl, **PROVIDERS}
"""All providers: `smsbus account call` offers the methods of each."""


def has_kind(provider: str, order_kind: str) -> bool:
    """Return whether this provider has orders of this kind."""
    return order_kind != "rent" or PROVIDERS[provider].has_rents
