"""docs/guides/installation.md says what a wheel of ours installs, and its commands fit the files of the project."""

import re
import shlex
import tomllib
from pathlib import Path

from app.init.answers import Answers
from app.init.next_steps import needs

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guides" / "installation.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def commands() -> list[list[str]]:
    return [shlex.split(line) for line in re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE)]


def test_the_page_names_every_top_level_package_that_a_wheel_installs() -> None:
    (names,) = re.findall(r"^(?:`\w+` ?){2,}$", PAGE, re.MULTILINE)

    assert re.findall(r"\w+", names) == PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def test_the_extra_and_the_files_that_its_commands_name_exist() -> None:
    words = [word for command in commands() for word in command]
    extras = {extra for word in words for extra in re.findall(r"^\.\[(\w+)\]$", word)}
    files = {word for word in words if re.fullmatch(r"[\w/.-]+\.lock|deploy/\w+", word)}

    assert extras == set(PROJECT["project"]["optional-dependencies"])
    assert files == {
        "requirements.lock",
        "requirements-local.lock",
        "requirements-build.lock",
        "deploy/Dockerfile",
    }
    assert all((ROOT / file).is_file() for file in files)


def test_what_is_installed_with_hashes_is_what_the_image_installs() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    with_hashes = [command for command in commands() if "--require-hashes" in command]

    assert [command[-3:] for command in with_hashes] == [
        ["--require-hashes", "-r", "requirements.lock"],
        ["--require-hashes", "-r", "requirements-build.lock"],
    ]
    assert "--require-hashes -r requirements-build.lock" in dockerfile
    assert "ARG REQUIREMENTS=requirements.lock\n" in dockerfile
    assert '--require-hashes -r "${REQUIREMENTS}"' in dockerfile


def test_no_command_installs_into_the_environment_that_happens_to_be_there() -> None:
    assert not [command for command in commands() if command[0] in {"pip", "pip3", "python3 -m pip"}]
    assert f"Python {PROJECT['project']['requires-python'].removeprefix('>=')} or newer" in PAGE


def test_the_page_says_what_init_says_of_memory_and_disk() -> None:
    said = needs(Answers(form="systemd", domain="sms.example.org", accounts={"shop": "pingme"}))

    for part in said.removeprefix("memory: ").replace("; disk: ", ", ").split(", "):
        assert part in PAGE
