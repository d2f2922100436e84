"""The providers' HTTP APIs as typed clients, one file each. A new polled one is a file here and a line below.

Imports nothing of ours: what an API says, not what becomes of it. `pingme` is the control API of the one that calls us.
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
"""Those that are polled."""
APIS: Final[dict[str, type[Api]]] = {"pingme": PingMeControl, **PROVIDERS}
"""Those whose methods `smsbus account call` offers: all."""


def has_kind(provider: str, order_kind: str) -> bool:
    """Tell whether there are such orders at this provider."""
    return order_kind != "rent" or PROVIDERS[provider].has_rents
