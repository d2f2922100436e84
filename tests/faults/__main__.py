"""`python -m tests.faults [CASE …]`: run the matrix and print its table. Exit code 1: something is wrong."""

import argparse
import asyncio
import json
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.environment import circumstances
from tests.faults.figures import Row, results, table
from tests.faults.matrix import CASES
from tests.faults.mutations import BREAKS
from tests.faults.progress import Progress
from tests.faults.run import run
from tests.kafka_fixtures import running_kafka
from tests.secure_kafka import SecureKafka, sasl_ssl_kafka


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _asked(arguments)
    with tempfile.TemporaryDirectory(prefix="smsbus-faults-") as scratch:
        directory = asked.keep or Path(scratch)
        directory.mkdir(parents=True, exist_ok=True)
        rows = asyncio.run(_run_all(asked.cases or list(CASES), directory, asked))
    print(table(rows))
    return 0 if all(row.good for row in rows) else 1


def _older(asked: argparse.Namespace) -> Mapping[str, Any]:
    """Return what the file has of other cases; nothing where all are run."""
    is_added_to = asked.json and asked.cases and asked.json.exists()
    return json.loads(asked.json.read_text("utf-8")) if is_added_to else {}


def _keep(rows: Sequence[Row], older: Mapping[str, Any], asked: argparse.Namespace) -> None:
    """Write the rows there are: whatever ends the run, they stay."""
    if not asked.json:
        return
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    document = results(rows, circumstances(asked.seed, asked.scale) | {"settings": dict(asked.set)}, older)
    asked.json.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


async def _run_all(chosen: Sequence[str], directory: Path, asked: argparse.Namespace) -> list[Row]:
    """Run them. A case that broke is run once more with another Kafka, and so are those behind it."""
    progress, older, rows = Progress(len(chosen)), _older(asked), dict[str, Row]()
    for secure in (False, True):
        names = deque(name for name in chosen if CASES[name].secure is secure)
        while names:
            with _kafka(_new(directory, f"from-{names[0]}"), secure=secure) as kafka:
                while names:
                    name = names.popleft()
                    row = await _told(name, kafka, directory, asked, progress)
                    if row.not_run and name not in rows:
                        names.appendleft(name)
                    rows[name] = row
                    _keep([*rows.values()], older, asked)
                    if row.not_run:
                        break
    return [rows[name] for name in chosen]


def _new(directory: Path, name: str) -> Path:
    """Return a directory of this name that does not exist yet."""
    return next(path for path in (directory / f"{name}{more}" for more in ("", "-again")) if not path.exists())


async def _told(name: str, kafka: SecureKafka, directory: Path, asked: argparse.Namespace, progress: Progress) -> Row:
    async with progress.of(name):
        row = await _run_one(name, kafka, directory, asked, progress)
        progress.say(f"{row.verdict}: {row.accepted} accepted, {row.lost} lost, {row.repeats} repeats")
    return row


@contextmanager
def _kafka(directory: Path, *, secure: bool) -> Iterator[SecureKafka]:
    """Run three nodes, and say what our parts must be told besides."""
    if secure:
        with sasl_ssl_kafka(directory / "secure") as kafka:
            yield kafka
    else:
        with running_kafka(directory / "kafka", 3, proxied=True) as kafka:
            yield SecureKafka(kafka, {}, {})


async def _run_one(
    name: str, secure: SecureKafka, directory: Path, asked: argparse.Namespace, progress: Progress
) -> Row:
    kafka, settings = secure.kafka, secure.settings | dict(asked.set)
    options: dict[str, Any] = {"scale": asked.scale, "seed": asked.seed, "settings": settings}
    if asked.break_:
        options["spoil"] = BREAKS[asked.break_]
    try:
        row, _ = await run(name, CASES[name], kafka, _new(directory, name), say=progress.say, **options)
    except Exception as error:  # noqa: BLE001 - the other cases are run all the same
        traceback.print_exc()
        return Row(name, not_run=f"it broke: {type(error).__name__}: {error}")
    return row


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    asked = parser.parse_args(arguments)
    if unknown := ", ".join(sorted(set(asked.cases) - set(CASES))):
        parser.error(f"no such case: {unknown}; there are {', '.join(CASES)}")
    if asked.keep and asked.keep.exists() and any(asked.keep.iterdir()):
        parser.error(f"{asked.keep} is not empty: name a new directory")
    return asked


def _setting(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found:
        message = f"{text!r}: RECEIVER__FAST_LANE=false is one"
        raise argparse.ArgumentTypeError(message)
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; none: all")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies durations and counts; 1: the full size")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--set", action="append", default=[], type=_setting, metavar="NAME=VALUE", help="of all parts, without SMSBUS_"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the rows there; those of other cases stay")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep logs, journals and histories there")
    parser.add_argument("--break", dest="break_", metavar="NAME", choices=BREAKS, help="the checker must find it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
