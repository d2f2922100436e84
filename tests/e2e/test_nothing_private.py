"""No number, code, text, token or key in anything that is written: a noisy service at its most talkative."""

import asyncio
import json

import aiohttp
import pytest

from tests.e2e.leaks import Sms, leaks, parts, sms
from tests.e2e.program import TOKEN, Replica
from tests.e2e.topic import records

WRONG_TOKEN = "wrong-token-wrong-token-wrong"
APP_KEY = "app-key-app-key-app-key"


@pytest.mark.timeout(120)
async def test_nothing_private_is_written_whatever_comes_in_and_whatever_fails(smsbus, kafka):
    replica = await smsbus.serve(LOG__LEVEL="debug", ACCOUNTS__SHOP__USER_ID="e2e", ACCOUNTS__SHOP__APP_KEY=APP_KEY)
    sent, answers = [], []
    async with aiohttp.ClientSession() as session:
        for phase in (kafka.kill, kafka.start, _nothing):
            sent += await _noise(session, replica, answers)
            await asyncio.gather(phase(), _more_noise(session, replica, sent, answers))
    await replica.drained()
    pages = {path: (await replica.get(path))[1] for path in ("/metrics", "/readyz", "/livez")}
    assert await replica.terminate() == 0
    received, rejected = await records(smsbus), await records(smsbus, "sms.rejected.v1")
    headers = json.dumps([[(name, value.decode()) for name, value in each.headers] for each in received + rejected])
    written = {
        "the log": replica.log.read_text("utf-8"),
        "an answer": "\n".join(text for status, text in answers if status != 200),
        "a header": headers,
        **pages,
    }
    private = parts(sent) | {TOKEN, WRONG_TOKEN, APP_KEY}
    print(f"{len(sent)} SMS, {len(received)} received, {len(rejected)} rejected, {len(answers)} answers")

    assert leaks(written, private) == []
    assert len(received) >= len(sent) / 2 > 20
    assert len(rejected) > 10
    assert {200, 404, 400, 413, 405} <= {status for status, _ in answers}
    assert replica.said("lane_spilled"), "the fault met no work"


def test_a_planted_leak_is_found():
    one = sms()
    line = json.dumps({"event": "accepted", "to": f"+{one.number}"})

    assert leaks({"the log": line, "a header": "[]"}, parts([one])) == [f"{one.number[1:]} stands in the log"]
    for part in (one.sender, one.code, one.words):
        assert len(leaks({"the log": f"... {part} ..."}, parts([one]))) == 1
    assert leaks({"the log": f"/v1/pingme/{TOKEN}"}, {TOKEN})


async def _noise(session: aiohttp.ClientSession, replica: Replica, answers: list) -> list[Sms]:
    """Everything a receiver can meet, once; return the SMS whose parts were in it."""
    sent = [sms() for _ in range(20)]
    for each in sent:
        body = each.body
        await _post(session, replica.url, body, answers)
        await _post(session, replica.url, body, answers)
    one = sent[0]
    text = json.dumps(one.body)
    broken = [text[:-9], f"[{text}", f"{one.number} {one.words} {one.code}", {**one.body, "text": None}]
    broken += [{**one.body, "userId": one.number}, {**one.body, "to": {"deep": one.number}}, [one.body, one.words]]
    for body in broken:
        await _post(session, replica.url, body, answers)
        await _post(session, replica.url, body, answers, **{"Content-Type": f"text/{one.code}"})
    await _post(session, replica.url.replace(TOKEN, WRONG_TOKEN), one.body, answers)
    await _post(session, replica.url.replace(TOKEN, one.number), one.body, answers)
    await _post(session, f"{replica.url}?to={one.number}&token={TOKEN}", one.body, answers)
    await _post(session, replica.url, text * 4_000, answers)
    async with session.put(replica.url, data=text) as answer:
        answers.append((answer.status, await answer.text()))
    await _no_http(replica, one, answers)
    return sent


async def _more_noise(session: aiohttp.ClientSession, replica: Replica, sent: list[Sms], answers: list) -> None:
    for _ in range(40):
        each = sms()
        sent.append(each)
        await _post(session, replica.url, each.body, answers)
        await asyncio.sleep(0.02)


async def _post(session: aiohttp.ClientSession, url: str, body: object, answers: list, **headers: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    try:
        async with session.post(url, data=text, headers=headers) as answer:
            answers.append((answer.status, await answer.text()))
    except aiohttp.ClientError:
        answers.append((None, ""))  # cut off while it sent too much


async def _no_http(replica: Replica, one: Sms, answers: list) -> None:
    """Bytes that are nearly HTTP, with something private in each place where a parser may quote it."""
    port = int(replica.url.split(":")[2].split("/")[0])
    head = f"POST /v1/pingme/{TOKEN} HTTP/1.1\r\nHost: {one.number}\r\n"
    for text in (
        f"POST /v1/pingme/{TOKEN}/{one.number} HTTP/{one.code}\r\n\r\n",
        f"{one.words} {one.number}\r\n\r\n",
        f"{head}Content-Length: {one.code}x\r\n\r\n{one.words}",
        f"{head}{one.words}\r\n\r\n",
        f"{head}Transfer-Encoding: chunked\r\n\r\n{one.words}\r\n{one.code}\r\n",
        f"{head}X-Long: {one.number * 2_000}\r\n\r\n",
        f"{head}Content-Length: 500\r\n\r\n{json.dumps(one.body)}",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(text.encode())
        writer.write_eof()
        answer = (await reader.read()).decode()
        answers.append((int(answer[9:12]) if answer else None, answer))
        writer.close()


async def _nothing() -> None:
    """The last phase: all is well again."""
