"""Pin another version of Kafka: `python -m deploy.kafka_jars 4.1.2`.

Writes `app/kafka_jars.lock` and `KAFKA_VERSION`. Needs Maven Central. See docs/releasing.md.
"""

import hashlib
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from jgo.maven import Dependency, MavenContext, PythonResolver

from app.local_kafka import jars
from app.local_kafka.jars import LOCK, Jar

SOURCE = Path(jars.__file__)
KAFKA = "org.apache.kafka:kafka_2.13"
LOG4J = "org.apache.logging.log4j"
TO_LOG = "log4j-slf4j-impl"  # Kafka's distribution has it beside its own jars: without it nothing is logged


def resolved(version: str, cache: Path) -> list[Jar]:
    """Return what Kafka of this version needs to run, fetched and hashed. Raises RuntimeError when there is none."""
    context = MavenContext(repo_cache=cache)
    needed = _resolve(context, f"{KAFKA}:{version}")
    log4j = next(each.version for each in needed if each.artifactId == "log4j-api")
    needed += [each for each in _resolve(context, f"{LOG4J}:{TO_LOG}:{log4j}") if each.artifactId == TO_LOG]
    return [_hashed(each) for each in needed]


def lock_of(found: list[Jar]) -> str:
    """Return the lock file."""
    lines = sorted((f"{jar.group}:{jar.artifact}:{jar.version}", jar.sha256) for jar in found)
    return "".join(f"{sha256}  {coordinate}\n" for coordinate, sha256 in lines)


def with_version(source: str, version: str) -> str:
    """Return the source of `app.local_kafka.jars` with another version."""
    changed, count = re.subn(r'^KAFKA_VERSION = ".*"$', f'KAFKA_VERSION = "{version}"', source, flags=re.MULTILINE)
    if count != 1:
        message = f"{SOURCE} does not say which version it is"
        raise ValueError(message)
    return changed


def _resolve(context: MavenContext, coordinate: str) -> list[Dependency]:
    inputs, others = PythonResolver().resolve([context.create_dependency(coordinate)])
    return [*inputs, *others]


def _hashed(dependency: Dependency) -> Jar:
    content = Path(dependency.artifact.resolve()).read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    return Jar(sha256, dependency.groupId, dependency.artifactId, dependency.version)


def main(version: str) -> None:
    """Pin it."""
    with TemporaryDirectory() as cache:
        found = resolved(version, Path(cache))
    LOCK.write_text(lock_of(found))
    SOURCE.write_text(with_version(SOURCE.read_text(), version))
    print(f"{len(found)} jars of Kafka {version} are pinned; now look at git diff, and run make test")


if __name__ == "__main__":
    main(*sys.argv[1:])
