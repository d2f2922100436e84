"""What a person does first: one post with curl, then a look at what came out; and `check` when nothing does."""

import asyncio
import json
import secrets

import pytest

from tests.e2e.program import Installation, free_port

SECRET = secrets.token_urlsafe(24)  # as the README makes one
BODY = (
    '{"app":"jd","from":"14160000000","to":"16470000000","userId":"xxx","text":"[jd] code is 5611",'
    '"time":"2021-03-25T03:17:06.050Z"}'
)


@pytest.mark.timeout(120)
async def test_the_post_of_the_issue_comes_out_as_an_event(smsbus):
    replica = await smsbus.serve(ACCOUNTS__SHOP__CALLBACK_TOKENS=SECRET)
    first = await _curl(replica.url, "-H", "Content-Type: application/json")
    shown = await smsbus.run("tail", "--json", "-n", "1")
    again = await _curl(replica.url)  # without its type curl says that it sends a form
    once = await smsbus.run("tail", "--json", "-n", "5")
    event = json.loads(shown.out)

    assert replica.url.endswith(f"/v1/pingme/{SECRET}")
    assert first == (200, {"status": "accepted", "id": event["id"]})
    assert (event["code"], event["recipient"], event["sender"]) == ("5611", "+16470000000", "+14160000000")
    assert (event["account"], event["provider_time"]) == ("shop", "2021-03-25T03:17:06.050Z")
    assert again == (200, {"status": "duplicate", "id": event["id"]})
    assert once.out == shown.out


async def test_check_says_that_the_broker_is_down(tmp_path):
    alone = Installation(tmp_path, f"127.0.0.1:{free_port()}", "")
    checked = await alone.run("check")

    assert checked.code == 1
    assert f"failed  no Kafka broker answers at {alone.bootstrap_servers}" in checked.out
    assert "SMSBUS_KAFKA__BOOTSTRAP_SERVERS" in checked.out


async def test_check_says_which_topic_is_missing_and_how_to_make_it(fresh):
    before = await fresh.run("check")
    await fresh.run("topics", "create")
    after = await fresh.run("check")

    assert before.code == 1
    assert f"topic {fresh.topic_prefix}sms.received.v1 is missing: run `smsbus topics create`" in before.out
    assert (after.code, "failed" in after.out) == (0, False), after


async def _curl(url: str, *options: str) -> tuple[int, dict]:
    """Post it as a person would."""
    command = ["curl", "--silent", "--write-out", "\n%{http_code}", *options, "--data", BODY, url]
    curl = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    body, _, status = (await curl.communicate())[0].decode().rpartition("\n")
    return int(status), json.loads(body)
