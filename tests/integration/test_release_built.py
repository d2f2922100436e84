"""The files of a release: complete, installable by what they say, and the same bytes from the same commit."""

import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from deploy.release import ROOT, build, sums_of, versions

pytestmark = pytest.mark.installation


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dist = tmp_path_factory.mktemp("dist")
    build(dist)
    return dist


def test_both_distributions_are_there_as_wheel_and_sdist(built: Path) -> None:
    version = versions()["smsbus"]

    assert sorted(each.name for each in built.iterdir()) == [
        f"smsbus-{version}-py3-none-any.whl",
        f"smsbus-{version}.tar.gz",
        f"smsbus_testing-{version}-py3-none-any.whl",
        f"smsbus_testing-{version}.tar.gz",
    ]


def test_the_wheel_has_every_file_of_the_program(built: Path) -> None:
    (wheel,) = built.glob("smsbus-*.whl")
    folders = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    there = {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert there - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_sdist_can_build_the_wheel_and_has_the_licence(built: Path) -> None:
    (sdist,) = built.glob("smsbus-*.tar.gz")
    with tarfile.open(sdist) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}

    assert {"pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md", "app/kafka_jars.lock"} <= names
    assert not any(name.startswith((".venv", "dist/")) for name in names)


def test_the_same_commit_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    assert sums_of(build(tmp_path)) == sums_of(sorted(built.iterdir()))
