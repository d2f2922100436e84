"""Every way into a log leads through redaction: planted leaks must not come out, and repeated lines are counted."""

import asyncio
import fcntl
import io
import json
import logging
import os
import pty
import termios

import pytest
import structlog

from app import logs
from app.log_metrics import LogMetrics
from app.settings.sections import LogSettings

NUMBER, CODE, TOKEN = "447700900123", "G-482913", "s3cret-token-of-the-shop"


@pytest.fixture(autouse=True)
def _restored():
    """Leave logging to the next test as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()  # `configure` would close them
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def written(clock):
    stream = io.StringIO()
    logs.configure(LogSettings(format="json"), [TOKEN], stream, clock=clock)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def leak_by_structlog():
    structlog.get_logger("bus").warning(
        f"sent to {NUMBER}", text=f"code {CODE}", url=f"/v1/pingme/{TOKEN}", where=TOKEN
    )


def leak_by_a_bound_context():
    structlog.get_logger().bind(recipient=NUMBER, nested={"sender": NUMBER}).error("x", token=TOKEN)


def leak_by_a_library():
    logging.getLogger("aiokafka").warning("refused %s for %s", TOKEN, NUMBER)


def leak_by_a_library_s_traceback():
    try:
        raise ValueError(f"{NUMBER} {CODE} {TOKEN}")
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request")


def leak_by_our_traceback():
    try:
        raise ValueError(f"{NUMBER} {CODE} {TOKEN}")
    except ValueError:
        structlog.get_logger().exception("callback_failed")


def leak_by_an_exception_as_a_value():
    structlog.get_logger().error("callback_failed", error=ValueError(f"{NUMBER} {CODE} {TOKEN}"))


def leak_by_asyncio():
    async def fail():
        raise ValueError(f"{NUMBER} {CODE} {TOKEN}")

    async def forget():
        task = asyncio.ensure_future(fail())
        await asyncio.wait([task])
        del task

    asyncio.run(forget())


@pytest.mark.parametrize(
    "leak",
    [
        leak_by_structlog,
        leak_by_a_bound_context,
        leak_by_a_library,
        leak_by_a_library_s_traceback,
        leak_by_our_traceback,
        leak_by_an_exception_as_a_value,
        leak_by_asyncio,
    ],
)
@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_planted_leak_does_not_come_out(leak, format_):
    stream = io.StringIO()
    logs.configure(LogSettings(format=format_, level="debug"), [TOKEN], stream)

    leak()

    said = stream.getvalue()
    assert said  # it was said, and
    assert [secret for secret in (NUMBER, CODE, TOKEN) if secret in said] == []


def test_the_last_step_before_rendering_is_redaction(written):
    handler = logging.root.handlers[0]

    names = [type(step).__name__ for step in handler.formatter.processors]

    assert names[-2:] == ["Redactor", "JSONRenderer"]


def test_an_exception_is_said_with_type_and_place(written):
    leak_by_our_traceback()

    [line] = written()
    assert line["exception"].startswith(f"ValueError at {__name__}:")
    assert line["event"] == "callback_failed"


def test_a_line_has_its_level_and_its_time(written):
    structlog.get_logger().info("serving", port=8080)

    [line] = written()
    assert (line["event"], line["level"], line["port"]) == ("serving", "info", 8080)
    assert line["timestamp"].endswith("Z")


def test_libraries_are_heard_from_warnings_on(written):
    logging.getLogger("aiohttp.web").info("chatter")
    logging.getLogger("aiohttp.web").warning("trouble")

    assert [(line["logger"], line["event"]) for line in written()] == [("aiohttp.web", "trouble")]


def test_without_kafka_the_first_line_is_ours_and_says_what_to_do(written):
    logging.getLogger("aiokafka").error('Unable connect to "127.0.0.1:9": refused')
    logging.getLogger("aiokafka.producer.sender").warning("Could not send: NodeNotReadyError")
    structlog.get_logger("bus").error("kafka_away", hint="`smsbus check` asks each broker")

    assert [line["event"] for line in written()] == ["kafka_away"]


def test_an_unexpected_exception_of_the_kafka_client_is_shown(written):
    try:
        raise ValueError(NUMBER)
    except ValueError:
        logging.getLogger("aiokafka.conn").exception("Unexpected exception in AIOKafkaConnection")

    [line] = written()
    assert (line["level"], line["event"]) == ("error", "Unexpected exception in AIOKafkaConnection")
    assert line["exception"].startswith("ValueError at ")


def test_what_the_kafka_client_says_can_be_read_at_the_level_debug():
    stream = io.StringIO()
    logs.configure(LogSettings(format="json", level="debug"), [], stream)

    logging.getLogger("aiokafka.conn").info("chatter")
    logging.getLogger("aiokafka.conn").error("Unable connect to 127.0.0.1:9")

    [line] = map(json.loads, stream.getvalue().splitlines())
    assert (line["level"], line["logger"], line["event"]) == ("debug", "aiokafka.conn", "Unable connect to 127.0.0.1:9")


def test_our_own_lines_keep_to_the_level():
    stream = io.StringIO()
    logs.configure(LogSettings(format="json", level="warning"), [], stream)

    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]


def test_a_repeated_line_is_said_once_and_then_counted_every_thirty_seconds(written, clock):
    log = logging.getLogger("aiohttp.web")
    for _ in range(240):
        log.error("Unable to read from %s", "127.0.0.1:9092")
        clock.now += 0.125
    log.error("Unable to read from %s", "127.0.0.1:9092")

    assert [line["event"] for line in written()] == [
        "Unable to read from 127.0.0.1:9092",
        "Unable to read from 127.0.0.1:9092 (239 times more in the last 30 s)",
    ]


def test_different_lines_do_not_silence_each_other(written):
    logging.getLogger("aiohttp").error("one")
    logging.getLogger("aiohttp").error("two")
    logging.getLogger("asyncio").error("one")

    assert len(written()) == 3


def test_our_own_lines_are_never_silenced(written):
    structlog.get_logger().warning("kafka_away")
    structlog.get_logger().warning("kafka_away")

    assert len(written()) == 2


def test_what_is_remembered_of_lines_is_bounded(written):
    for number in range(logs.REMEMBERED + 1):
        logging.getLogger("aiohttp").error("line %d", number)
    logging.getLogger("aiohttp").error("line 0")

    assert [line["event"] for line in written()].count("line 0") == 2


def test_auto_is_for_people_on_a_terminal_and_json_elsewhere():
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        logs.configure(LogSettings(format="auto"), [], stream)
        structlog.get_logger().info("serving")

    assert json.loads(pipe.getvalue())["event"] == "serving"
    assert "serving" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")


# ---- whoever reads it does not -------------------------------------------------------------------------------------


@pytest.fixture(params=["a pipe", "a terminal at Ctrl-S"])
def unread(request):
    """Where the log is written to, what reads it at last, and where it is read."""
    if request.param == "a pipe":
        reads, writes = os.pipe()
        fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, 16_384)
        goes_on = list
    else:
        reads, writes = pty.openpty()
        termios.tcflow(writes, termios.TCOOFF)
        goes_on = lambda: termios.tcflow(writes, termios.TCOON)  # noqa: E731
    with os.fdopen(writes, "w") as stream:
        yield stream, goes_on, reads
    os.close(reads)


def test_a_log_that_nobody_reads_holds_up_nobody_and_says_later_how_much_is_missing(unread):
    stream, goes_on, reads = unread
    logs.configure(LogSettings(format="json"), [], stream)
    say = structlog.get_logger("smsbus").info
    for n in range(100):
        say("line", n=n, padding="x" * 200)
    [dropped] = [sample.value for family in LogMetrics().collect() for sample in family.samples]

    goes_on()
    taken = 100 - int(dropped)
    before = [next(read_lines(reads))["n"] for _ in range(taken)]
    say("again")
    lines = read_lines(reads)
    after = [next(lines), next(lines)]

    assert before == list(range(taken))
    assert [(line["event"], line.get("lines")) for line in after] == [("log_lines_dropped", dropped), ("again", None)]
    assert dropped > 0


def read_lines(descriptor):
    """Each line, as soon as it is there: a terminal passes them on a moment later."""
    line = b""
    while byte := os.read(descriptor, 1):
        line += byte
        if byte == b"\n":
            yield json.loads(line)
            line = b""
