"""Messages for the error codes of providers."""

from typing import Final

SENTENCES: Final = {
    "no_numbers": "there is no number for this right now",
    "no_free_phones": "there is no number for this right now",
    "no_balance": "there is not enough money on the account",
    "balance": "there is not enough money on the account",
    "not_enough_balance": "there is not enough money on the account",
    "too_many_locked_numbers": "too many numbers are locked at once",
    "wrong_max_price": "there is no number at or below maxPrice",
    "early_cancel_denied": "it is too early to cancel: most providers require two minutes, some five",
    "cant_cancel": "it cannot be cancelled: an SMS has arrived, or 20 minutes have passed",
    "otp_received": "an SMS has arrived meanwhile: check the status",
    "status_already_changed": "the order has changed meanwhile: check the status",
    "bad_key": "the key is wrong",
    "no_key": "the key is wrong",
    "wrong_token": "the key is wrong",
    "banned": "the account is banned",
    "no_permission": "the account has no permission for this",
    "service_unavailable_region": "the provider does not serve this machine's region",
    "bad_action": "the provider does not offer this method, or not to this account",
    "bad_service": "there is no such service",
    "bad_country": "there is no such country",
    "bad_status": "this status cannot be set now",
    "wrong_status": "this status cannot be set now",
    "invalid_time": "rents of this length are not offered: is it hours or minutes?",
    "timeout": "no response in time",
    "dns": "the provider's host name cannot be resolved: is base_url right?",
    "connect": "the provider cannot be reached: is base_url right?",
    "proxy": "the proxy cannot be reached",
    "tls": "the provider's certificate is not trusted",
}


def sentence(code: str) -> str:
    """Return the message for an error code."""
    return SENTENCES.get(code, code.replace("_", " "))


def outcome(*, buys: bool, sent: bool) -> str:
    """Return what is known after a call without a clear result."""
    if not sent:
        return "it was not sent, so nothing was done"
    if buys:
        return "not tried again: it may have been bought. Check the orders and the balance before you repeat it"
    return "not tried again: it may or may not have been done"
