"""The dialect of handler_api.php that SMSVerified and GrizzlySMS share: plain text answers, a token and a colon."""

from collections.abc import Callable, Mapping
from typing import Final

from sandbox.account import Account
from sandbox.orders import ENDED, Activation, Level, Phase
from sandbox.response import Moment, Query, Reply
from sandbox.settings import OrderRequest
from sandbox.sms import Sms

PRICE: Final = 0.35
Action = Callable[[Account, Query, Moment], Reply]


def ask(actions: Mapping[str, Action], account: Account, query: Query, moment: Moment) -> Reply:
    """Answer a request for one of these actions."""
    if (refused := wrong_key(account, query)) is not None:
        return Reply(refused)
    action = actions.get(query.get("action", ""))
    return Reply("BAD_ACTION") if action is None else action(account, query, moment)


def wrong_key(account: Account, query: Query) -> str | None:
    """Return the token for a missing or a wrong key; only GrizzlySMS documents one (BAD_KEY)."""
    given = query.get("api_key", "")
    return None if given == account.settings.key else "BAD_KEY" if given else "NO_KEY"


def buy(account: Account, query: Query, moment: Moment) -> Activation | Reply:
    """Open an activation and pay for it, or say why not."""
    if not query.get("service"):
        return Reply("BAD_SERVICE")
    if account.balance < PRICE:
        return Reply("NO_BALANCE")
    account.balance -= PRICE
    wanted = OrderRequest(provider=account.provider, service=query["service"], country=query.get("country", "0"))
    return account.activate(wanted, moment.now)


def get_number(account: Account, query: Query, moment: Moment) -> Reply:
    """`ACCESS_NUMBER:8601705018416664:33774545375`."""
    bought = buy(account, query, moment)
    return bought if isinstance(bought, Reply) else Reply(f"ACCESS_NUMBER:{bought.id}:{bought.number}")


def find(account: Account, query: Query, moment: Moment) -> Activation | None:
    """Return the activation that a request names, where the provider still knows it."""
    order = account.activations.get(query.get("id", ""))
    return None if order is None or order.forgotten(moment.now) else order


def get_status(account: Account, query: Query, moment: Moment) -> Reply:
    """`STATUS_OK:877613`, and the other tokens."""
    return showing(account, query, moment, lambda _, sms: Reply(f"STATUS_OK:{sms.code}", shows=(sms,)))


def showing(account: Account, query: Query, moment: Moment, show: Callable[[Activation, Sms], Reply]) -> Reply:
    """Answer so for an activation that shows an SMS, with the tokens of getStatus for any other."""
    order = find(account, query, moment)
    if order is None:
        return Reply("NO_ACTIVATION")
    level = order.level(moment.now, moment.lag)
    if level.phase is Phase.SMS and level.sms is not None:
        return show(order, level.sms)
    return _unseen(level, moment)


def _unseen(level: Level, moment: Moment) -> Reply:
    """Answer for an activation that shows no SMS now."""
    if level.phase is Phase.RETRY and level.sms is not None:
        return Reply(f"STATUS_WAIT_RETRY:{level.sms.code}", passes=level.sms)
    if level.phase in ENDED:
        return Reply("STATUS_CANCEL")
    return Reply("STATUS_WAIT_RESEND" if moment.resend else "STATUS_WAIT_CODE")
