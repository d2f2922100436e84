"""What a provider's refusal means, in words for people."""

from typing import Final

SENTENCES: Final = {
    "no_numbers": "there is no number for this right now",
    "no_free_phones": "there is no number for this right now",
    "no_balance": "there is not enough money on the account",
    "balance": "there is not enough money on the account",
    "not_enough_balance": "there is not enough money on the account",
    "too_many_locked_numbers": "too many numbers are locked at once",
    "wrong_max_price": "nothing is as cheap as the maxPrice",
    "early_cancel_denied": "it is too early to cancel: at most providers two minutes must pass, at some five",
    "cant_cancel": "it cannot be cancelled: an SMS has come, or 20 minutes have passed",
    "otp_received": "an SMS has come meanwhile: look at the status",
    "status_already_changed": "the order has moved on: look at the status",
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
    "invalid_time": "rents of this length are not offered: does it want hours, or minutes?",
    "timeout": "no answer came in time",
    "dns": "the provider's name has no address: is base_url right?",
    "connect": "the provider cannot be reached: is base_url right?",
    "proxy": "the proxy cannot be reached",
    "tls": "the provider's certificate is not trusted",
}


def sentence(word: str) -> str:
    """Return what a machine word means."""
    return SENTENCES.get(word, word.replace("_", " "))


def outcome(*, buys: bool, sent: bool) -> str:
    """Return what a person should think after a call without a clear answer."""
    if not sent:
        return "it was not sent, so nothing was done"
    if buys:
        return "not tried again: it may have been bought. Look at the orders and the balance before you repeat it"
    return "not tried again: it may or may not have been done"
