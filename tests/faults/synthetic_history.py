"""A run as it should be, made up: repeats, refusals, deaths, all providers; what the checker itself is tested with."""

import zlib

from tests.faults.history import DeadLetter, Ended, Fault, History, Ledger, Post, Record, Shown

START = 1_800_000_000.0
DEATH, BACK = START + 4.0, START + 6.0  # of receiver-1 and of poller-1
TOLD = {"status": 503, "id": None, "retry_after": "1", "body": '{"reason":"not_durable"}'}
NOTHING = {"status": None, "id": None}
PARTITIONS = 6


class Run:
    """What was seen so far."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.shown: list[Shown] = []
        self.ended: list[Ended] = []
        self.rejected: list[DeadLetter] = []
        self._topic: list[list[Record]] = [[] for _ in range(PARTITIONS)]

    def history(self) -> History:
        faults = (
            Fault("kill", DEATH, BACK, parts=("receiver-1", "poller-1")),
            Fault("deploy", START + 8, START + 9, parts=("receiver-2",), ending=True),
        )
        ledgers = (Ledger("receiver-1#2", 20, 3, 22, 1, 0), Ledger("poller-2#1", 9, 0, 8, 0, 1))
        records = tuple(record for partition in self._topic for record in partition)
        rest = (tuple(self.rejected), tuple(self.ended), faults, ledgers)
        return History(tuple(self.posts), tuple(self.shown), (), records, *rest)

    def publish(self, at: float, row: Post | Shown, instance: str, sequence: int | None = None, n: int = 0) -> None:
        partition = zlib.crc32(row.number.encode()) % PARTITIONS
        lane = self._topic[partition]
        provider, kind, order, nonce = row.sms
        where = ("sms.received.v1", partition, len(lane), int(at * 1000), row.number)
        what = (identity(row, n), nonce, row.number, provider, kind, order, sequence, "kafka", instance)
        lane.append(Record(*where, *what))

    def post(self, at: float, number: str, index: int, receiver: str, **answer: object) -> Post:
        """One try, 10 ms long."""
        post = Post(f"{number}-{index}", number, index, receiver, at, 0.01)
        post = post._replace(**({"status": 200, "id": identity(post)} | answer))
        self.posts.append(post)
        return post


def identity(row: Post | Shown, n: int = 0) -> str:
    """The id of an SMS before which `n` of its order had its code."""
    return f"id-{'-'.join(row.sms)}-{n}"


def run(numbers: int = 4, each: int = 8) -> History:
    """So many callbacks to each number, by two receivers in turn; and a few orders of every provider."""
    seen = Run()
    for number in range(numbers):
        _callbacks(seen, f"1201555{number:04}", 1 + number % 2, each)
    for number, (provider, kind) in enumerate(
        [("smsverified", "activation"), ("grizzlysms", "activation"), ("grizzlysms", "rent"), ("smsman", "activation")]
    ):
        _order(seen, provider, kind, f"1202555{number:04}")
    _equal_codes(seen)
    _nobody_knows(seen)
    return seen.history()


def _callbacks(seen: Run, number: str, receiver: int, each: int) -> None:
    """One a second, each after the one before; some are refused first, and receiver-1 dies with the fifth."""
    for index in range(each):
        at = START + index + 0.1
        if receiver == 1 and index == 4:
            _interrupted(seen, number, index)
            continue
        at += BACK - DEATH if receiver == 1 and at > DEATH else 0.0
        process = f"receiver-{receiver}#{2 if receiver == 1 and at > DEATH else 1}"
        if index % 3 == 1:
            seen.post(at, number, index, process, **TOLD)
        post = seen.post(at + 0.2, number, index, process)
        if number.endswith("3") and index == 2:
            seen.rejected.append(DeadLetter("dead", "", "", "", "", post.id or "", "publish", "refused_by_broker"))
        else:
            seen.publish(at + 0.2, post, process)
    seen.post(START + each + 2, number, each, process, **TOLD)  # the load ended before it had its 200
    if receiver == 2:
        seen.post(START + 8.5, number, each, process, failure="ClientConnectorError", **NOTHING)


def _interrupted(seen: Run, number: str, index: int) -> None:
    """A journal had the SMS, but its sender no answer; it is repeated, and lies in the topic twice."""
    seen.post(DEATH - 0.005, number, index, "receiver-1#1", failure="ServerDisconnectedError", **NOTHING)
    seen.post(DEATH + 1, number, index, "receiver-1#1", failure="ClientConnectorError", **NOTHING)
    post = seen.post(BACK + 0.02, number, index, "receiver-1#2")
    for instance in ("receiver-1#2", "receiver-1#1"):
        seen.publish(BACK + 0.05, post, instance)


def _order(seen: Run, provider: str, kind: str, number: str) -> None:
    """Four SMS; poller-1 died when it had published the second, poller-2 saw it once more and ended the watch."""
    for index, instance in enumerate(["one", "one", "two", "two"]):
        at = START + 1 + 2 * index
        passed = at + 1 if kind == "activation" and index < 3 else None
        row = Shown(provider, kind, number, number, index, f"{1000 + index}", "", "", at, at + 0.1, 3, passed)
        seen.shown.append(row)
        seen.publish(at + 0.2, row, instance, index)
        if index == 1:
            seen.publish(BACK, row, "two", index)
    seen.shown.append(row._replace(index=4, nonce="9999", shown=None, shows=0, passed=None))  # nobody asked for it
    seen.ended.append(Ended(f"watch-{number}", provider, kind, number, 4, "finished", int((START + 9) * 1000)))


def _equal_codes(seen: Run) -> None:
    """Of three equal ones the second is told apart from the first, the third is not from the second."""
    number, provider = "12035550000", "smsverified"
    for index, passed in enumerate([START + 0.5, None, None]):
        at = START + index
        row = Shown(provider, "activation", number, number, index, "7777", "7777", "", at, at + 0.1, 2, passed)
        seen.shown.append(row)
        if index < 2:
            seen.publish(at + 0.2, row, "two", index, index)


def _nobody_knows(seen: Run) -> None:
    """Poller-1 was shown it once, in its last second; its order was over before another looked."""
    shown = DEATH - 0.5
    seen.shown.append(Shown("smsman", "activation", "77", "77", 0, "5", "5", "", shown, shown, 1, None, BACK + 3))
