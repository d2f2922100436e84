"""What a notification says, in the forms of two kinds of services. Pure.

`ntfy`: the message as plain text, its title, priority and tags as headers (https://docs.ntfy.sh/publish/). `slack`: one
text in a JSON object, as Slack's incoming webhooks take it, and Mattermost's and Discord's (there with `/slack` at the
end of the URL); `&`, `<` and `>` are escaped (https://docs.slack.dev/messaging/formatting-message-text).
"""

import html
import json
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from yarl import URL

from app.degraded import meaning

Format = Literal["ntfy", "slack"]

MOST: Final = 8  # reasons in one message; ntfy turns a longer text than 4 KiB into an attachment
SLACK_HOST: Final = "hooks.slack.com"


class Notification(NamedTuple):
    """What is said, whatever the form."""

    title: str
    lines: Sequence[str]
    is_over: bool

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


def begun(reasons: Sequence[str], host: str) -> Notification:
    """Return what to say of problems that last."""
    return Notification(
        f"smsbus: {_listed(reasons)}",
        [*(_explained(each, reasons) for each in reasons[:MOST]), f"On {host}."],
        is_over=False,
    )


def over(reasons: Sequence[str], host: str) -> Notification:
    """Return what to say of problems that people were told of, and that are over."""
    return Notification(
        f"smsbus: ended: {_listed(reasons)}", [f"Over: {_listed(reasons)}.", f"On {host}."], is_over=True
    )


def format_of(url: str) -> Format:
    """Return the form that the service at this URL takes, as far as the URL shows it."""
    return "slack" if URL(url).host == SLACK_HOST else "ntfy"


def request_of(said: Notification, form: Format) -> tuple[Mapping[str, str], bytes]:
    """Return the headers and the body of the POST."""
    if form == "slack":
        text = html.escape(f"*{said.title}*\n{said.text}", quote=False)
        return {"Content-Type": "application/json"}, json.dumps({"text": text}).encode()
    tag, priority = ("white_check_mark", "default") if said.is_over else ("warning", "high")
    headers = {"Content-Type": "text/plain; charset=utf-8", "Title": said.title, "Tags": tag, "Priority": priority}
    return headers, said.text.encode()


def _listed(reasons: Sequence[str]) -> str:
    more = len(reasons) - MOST
    return ", ".join(reasons[:MOST]) + (f" and {more} more" if more > 0 else "")


def _explained(reason: str, among: Sequence[str]) -> str:
    means = meaning(reason, among)
    return f"{reason}: {means.what} {means.users} {means.do}" if means else reason
