"""Completion, by bash itself, in a shell where `smsbus --install-completion` was run."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SMSBUS = f"#!{sys.executable}\nfrom app.cli import main\nmain()\n"
"""As an installation puts it on the path; the name of a program is part of its completion."""
SETTINGS = '[accounts.shop]\nprovider = "pingme"\ncallback_tokens = ["old-token-old-token-0123"]\n'
POLLED = '[accounts.grizzly]\nprovider = "grizzlysms"\napi_key = "hunter2-hunter2"\n'


pytestmark = pytest.mark.long  # each line is a start of the program


@pytest.fixture
def bash(tmp_path: Path) -> Callable[[str], list[str]]:
    """Run lines in a bash with an empty home, where `smsbus` is on the path and smsbus.toml is here."""
    program = tmp_path / "bin" / "smsbus"
    program.parent.mkdir()
    program.write_text(SMSBUS)
    program.chmod(0o755)
    (tmp_path / "smsbus.toml").write_text(SETTINGS + POLLED)
    own = {name: value for name, value in os.environ.items() if not name.upper().startswith("SMSBUS")}
    environ = {
        **own,
        "HOME": str(tmp_path),
        "PATH": f"{program.parent}:{own['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "SMSBUS_DATA_DIR": str(tmp_path / "own"),
    }

    def run(lines: str) -> list[str]:
        done = subprocess.run(
            ["bash", "-c", lines], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    return run


def completed(line: str) -> str:
    """Return the lines that have bash complete the last word, as its Tab does, and print what it offers."""
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    return (
        f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; COMPREPLY=();"
        'read -r _ _ _ _ function _ <<< "$(complete -p smsbus)"; "$function" smsbus; echo "${COMPREPLY[*]}"'
    )


def test_bash_completes_commands_options_choices_and_accounts(bash: Callable[[str], list[str]]) -> None:
    bash("smsbus --install-completion")
    lines = ["smsbus jo", "smsbus journal s", "smsbus serve --role ", "smsbus tail --fr", "smsbus watch add g"]
    broken = "echo 'colour = 1' >> smsbus.toml"

    *offered, nothing = bash("\n".join([". ~/.bashrc", *map(completed, lines), broken, completed(lines[-1])]))

    assert offered == ["journal", "show skip status", "all receiver pollers inbox forward", "--freshness", "grizzly"]
    assert nothing == ""


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_a_script(bash: Callable[[str], list[str]], shell: str) -> None:
    script = "\n".join(bash(f"_SMSBUS_COMPLETE=source_{shell} smsbus"))

    assert f"_SMSBUS_COMPLETE=complete_{shell}" in script
