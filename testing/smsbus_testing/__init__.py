"""Tests that wait for SMS: clients of a running smsbus, and a pytest plugin (`smsbus_testing.plugin`).

HTTP only: nothing of smsbus itself is needed, except to start one for the tests (`smsbus dev`).
"""

from smsbus_testing.client import AsyncSmsInbox, SmsbusError, SmsInbox
from smsbus_testing.events import event
from smsbus_testing.waiting import NoSms, Sms

__all__ = ["AsyncSmsInbox", "NoSms", "Sms", "SmsInbox", "SmsbusError", "event"]
