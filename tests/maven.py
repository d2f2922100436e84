"""Files of Maven Central that only tests need: pinned by sha256, kept in the user's cache beside Kafka's jars."""

import hashlib
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import platformdirs

CACHE = Path(platformdirs.user_cache_dir("smsbus")) / "tests"
# In a process of its own: no test reaches anything but this machine.
FETCH = """
import sys
from pathlib import Path
from jgo.maven import MavenContext
scratch, group, name, version, classifier, packaging = sys.argv[1:]
project = MavenContext(repo_cache=Path(scratch)).project(group, name).at_version(version)
print(project.artifact(classifier, packaging).resolve())
"""


class Artifact(NamedTuple):
    """One file."""

    group: str
    name: str
    version: str
    sha256: str
    classifier: str = ""
    packaging: str = "jar"

    @property
    def file_name(self) -> str:
        return f"{self.name}-{self.version}.{self.packaging}"


def fetched(artifact: Artifact) -> Path:
    """Return the file; it is fetched if it is not in the cache."""
    kept = CACHE / artifact.file_name
    if not kept.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=CACHE) as scratch:
            words = (artifact.group, artifact.name, artifact.version, artifact.classifier, artifact.packaging)
            said = subprocess.run(
                [sys.executable, "-c", FETCH, scratch, *words],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
                timeout=280,
            )
            found = Path(said.stdout.split()[-1])
            assert hashlib.sha256(found.read_bytes()).hexdigest() == artifact.sha256, artifact.file_name
            found.replace(kept)
    return kept
