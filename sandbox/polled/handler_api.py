"""The part of handler_api.php that SMSVerified and GrizzlySMS share: text responses, a token and a colon."""

from collections.abc import Callable, Mapping
from typing import Final

from sandbox.account import Account
from sandbox.orders import ENDED, Activation, Phase, State
from sandbox.response import Moment, Query, Response
from sandbox.settings import OrderRequest
from sandbox.sms import Sms

PRICE: Final = 0.35
Action = Callable[[Account, Query, Moment], Response]


def respond(actions: Mapping[str, Action], account: Account, query: Query, moment: Moment) -> Response:
    """Return the response to one of these actions."""
    if (refused := wrong_key(account, query)) is not None:
        return Response(refused)
    action = actions.get(query.get("action", ""))
    return Response("BAD_ACTION") if action is None else action(account, query, moment)


def wrong_key(account: Account, query: Query) -> str | None:
    """Return the error token for a missing or wrong key; only GrizzlySMS documents one (BAD_KEY)."""
    given = query.get("api_key", "")
    return None if given == account.settings.key else "BAD_KEY" if given else "NO_KEY"


def buy(account: Account, query: Query, moment: Moment) -> Activation | Response:
    """Open an activation and pay for it, or return the error."""
    if not query.get("service"):
        return Response("BAD_SERVICE")
    if account.balance < PRICE:
        return Response("NO_BALANCE")
    account.balance -= PRICE
    request = OrderRequest(provider=account.provider, service=query["service"], country=query.get("country", "0"))
    return account.activate(request, moment.now)


def get_number(account: Account, query: Query, moment: Moment) -> Response:
    """`ACCESS_NUMBER:8601705018416664:33774545375`."""
    bought = buy(account, query, moment)
    return bought if isinstance(bought, Response) else Response(f"ACCESS_NUMBER:{bought.id}:{bought.number}")


def find(account: Account, query: Query, moment: Moment) -> Activation | None:
    """Return the activation with the requested id, if the provider still knows it."""
    order = account.activations.get(query.get("id", ""))
    return None if order is None or order.forgotten(moment.now) else order


def get_status(account: Account, query: Query, moment: Moment) -> Response:
    """`STATUS_OK:877613`, and the other tokens."""
    return showing(account, query, moment, lambda _, sms: Response(f"STATUS_OK:{sms.code}", shows=(sms,)))


def showing(account: Account, query: Query, moment: Moment, show: Callable[[Activation, Sms], Response]) -> Response:
    """Return `show` for an activation that shows an SMS, otherwise a token of getStatus."""
    order = find(account, query, moment)
    if order is None:
        return Response("NO_ACTIVATION")
    state = order.state(moment.now, moment.lag)
    if state.phase is Phase.SMS and state.sms is not None:
        return show(order, state.sms)
    return _unseen(state, moment)


def _unseen(state: State, moment: Moment) -> Response:
    """Return the response for an activation that shows no SMS now."""
    if state.phase is Phase.RETRY and state.sms is not None:
        return Response(f"STATUS_WAIT_RETRY:{state.sms.code}", passes=state.sms)
    if state.phase in ENDED:
        return Response("STATUS_CANCEL")
    return Response("STATUS_WAIT_RESEND" if moment.resend else "STATUS_WAIT_CODE")
