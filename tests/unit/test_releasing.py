"""What a release consists of, and what must be true before; building it is tests/integration/test_release_built.py."""

import hashlib
from pathlib import Path

import pytest

from app.local_kafka.jars import LOCK, Jar, read_lock
from deploy import release
from deploy.kafka_jars import SOURCE, lock_of, with_version
from deploy.release import not_ready, sums_of, versions

READY = "# Changelog\n\n## [Unreleased]\n\n## [{}] - 2026-12-01\n"


def test_both_distributions_have_one_version_and_it_may_be_released_once_the_changelog_has_it() -> None:
    version = versions()["smsbus"]

    assert set(versions()) == {"smsbus", "smsbus-testing"}
    assert list(not_ready(version, READY.format(version), "")) == []


@pytest.mark.parametrize(
    ("version", "changelog", "changed", "word"),
    [
        ("0.1.0", READY.format("0.0.9"), "", "## [0.1.0]"),
        ("9.9.9", READY.format("9.9.9"), "", "the versions differ"),
        ("0.1.0", READY.format("0.1.0"), " M README.md\n", "not committed"),
    ],
)
def test_what_is_missing_is_said(version: str, changelog: str, changed: str, word: str) -> None:
    (problem,) = not_ready(version, changelog, changed)

    assert word in problem


def test_checksums_are_those_of_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"wheel")

    assert sums_of([tmp_path / "a.whl"]) == f"{hashlib.sha256(b'wheel').hexdigest()}  a.whl\n"


def test_the_lock_of_kafka_s_jars_is_what_the_command_would_write() -> None:
    assert lock_of(read_lock(LOCK.read_text())) == LOCK.read_text()
    assert lock_of([Jar("b", "g", "b", "1"), Jar("a", "g", "a", "2")]) == "a  g:a:2\nb  g:b:1\n"


def test_another_version_of_kafka_is_written_where_the_program_reads_it() -> None:
    changed = with_version(SOURCE.read_text(), "9.9.9")

    assert 'KAFKA_VERSION = "9.9.9"\n' in changed
    with pytest.raises(ValueError, match="does not say"):
        with_version("", "9.9.9")


def test_a_dry_run_takes_the_place_of_the_one_before_and_of_nothing_else(tmp_path: Path, monkeypatch) -> None:
    def built(dist: Path) -> list[Path]:
        (dist / "smsbus-0.1.0.whl").write_bytes(b"")
        return [dist / "smsbus-0.1.0.whl"]

    monkeypatch.setattr(release, "build", built)
    codes = [release.main("--dry-run", dist=tmp_path) for _ in range(2)]
    (tmp_path / "mine").touch()
    codes.append(release.main("--dry-run", dist=tmp_path))

    assert codes == [0, 0, 1]
    assert [*tmp_path.iterdir()] == [tmp_path / "mine"]


def test_what_a_release_has_built_is_left_to_a_person(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / release.SUMS).write_text("…  smsbus-0.1.0.whl\n")
    monkeypatch.setattr(release, "build", None)

    assert release.main("--dry-run", dist=tmp_path) == 1
    assert (tmp_path / release.SUMS).exists()
