"""`smsbus init`: an installation on one machine, from a few answers."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.exit import Code, end, readable_errors, say

if TYPE_CHECKING:
    from app.init.planning import Plan

ACCOUNT = "An account more, NAME=PROVIDER, several times for several. Default: shop=pingme."
MACHINE = Path("/")
PROXIES = {None: None, True: "own", False: "caddy"}
NO_ANSWERS = "no init.toml in {}: nothing was answered there yet (--dir is where the first run wrote)"
NO_ROOT = "--root says where --apply installs, or --dry-run looks, with --systemd"
KEY = "NAME=FILE with the key of a polled account; -: read it from stdin."


def init(
    systemd: Annotated[bool, typer.Option("--systemd", help="Units of systemd.")] = False,
    compose: Annotated[bool, typer.Option("--compose", help="A file for `docker compose`.")] = False,
    domain: Annotated[str | None, typer.Option(help="Host name that PingMe posts to.")] = None,
    account: Annotated[list[str] | None, typer.Option(metavar="NAME=PROVIDER", help=ACCOUNT)] = None,
    remove_account: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Remove an account of an earlier run.")
    ] = None,
    key_file: Annotated[list[str] | None, typer.Option(metavar="NAME=FILE", help=KEY)] = None,
    page: Annotated[str | None, typer.Option(metavar="ssh|HOST", help="How the page is reached. Default: ssh.")] = None,
    kafka: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="A Kafka of yours. Default: local, one on this machine.")
    ] = None,
    own_proxy: Annotated[
        bool | None, typer.Option("--own-proxy/--caddy", help="No Caddy: you have a proxy with TLS. Default: Caddy.")
    ] = None,
    program: Annotated[str | None, typer.Option(help="The program that the units run. Default: this one.")] = None,
    image: Annotated[str | None, typer.Option(help="The image of --compose. Default: smsbus:local.")] = None,
    directory: Annotated[Path, typer.Option("--dir", help="Where the files are written.")] = Path("smsbus-init"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the defaults, and ask nothing.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print files and differences, and write nothing.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Also install and start it; needs root.")] = False,
    root: Annotated[Path, typer.Option(help="Install below this directory, and run nothing.")] = MACHINE,
) -> None:
    """Write the files of an installation on one machine, and install them with --apply.

    A second run keeps answers and secrets, and changes only what differs.
    """
    from app.init.alone import alone
    from app.init.answers import kept
    from app.init.planning import Wanted, planned

    if systemd and compose:
        raise end(Code.USAGE, "give --systemd or --compose, not both")
    form = "systemd" if systemd else "compose" if compose else None
    given = {"form": form, "domain": domain, "page": page, "kafka": kafka, "program": program, "image": image}
    given |= {"accounts": ",".join(account) if account else None, "proxy": PROXIES[own_proxy]}
    with readable_errors(), alone(directory.absolute().parent, *([root] if apply else [])):
        wanted = Wanted(_without_none(given), remove_account or [], _keys(key_file or []), takes_defaults=yes)
        before = {"program": _this_program()} | kept(directory)
        if "form" not in before and domain is None:
            say(NO_ANSWERS.format(directory.absolute()))
        can_ask = sys.stdin.isatty() and not yes
        plan = planned(wanted, before, directory, root, _ask if can_ask else None, _ask_secret if can_ask else None)
        if root != MACHINE and (plan.answers.form == "compose" or not (apply or dry_run)):
            raise end(Code.USAGE, NO_ROOT)
        for line in plan.warnings(is_done=not dry_run):
            say(line)
        if dry_run:
            _show(plan, root)
            return
        for line in plan.write():
            typer.echo(line)
        if apply:
            _install(plan, root)
        _end(plan, is_installed=apply)


def _show(plan: "Plan", root: Path) -> None:
    """Print what would be written, and what `--apply` would change where something is installed that may be read."""
    from app.init.answers import InitError
    from app.init.planning import installed_differences

    for line in plan.shown():
        typer.echo(line)
    try:
        for line in installed_differences(plan, root):
            typer.echo(line)
    except InitError as error:
        say(f"smsbus: {error}")


def _install(plan: "Plan", root: Path) -> None:
    from app.init.installing import Machine, install

    if not install(plan.answers, plan.directory, plan.files, Machine(root.absolute(), say)):
        say("what is installed is the same: nothing was changed")


def _end(plan: "Plan", *, is_installed: bool) -> None:
    from app.init.next_steps import next_steps

    typer.echo("")
    for line in next_steps(plan.answers, plan.directory, _this_program(), is_installed=is_installed):
        typer.echo(line)


def _keys(named: list[str]) -> dict[str, str]:
    """Read the keys of `--key-file NAME=FILE`."""
    found = {}
    for each in named:
        name, equals, path = each.partition("=")
        if not equals:
            raise end(Code.USAGE, "--key-file: NAME=FILE is needed")
        key = (sys.stdin.read() if path == "-" else _key_file(Path(path))).strip()
        if len(key.split()) != 1:
            raise end(Code.USAGE, f"--key-file {name}: {path} {'has more than a key' if key else 'is empty'}")
        found[name] = key
    return found


def _key_file(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise end(Code.USAGE, f"--key-file: {path} is not UTF-8: is it the file with the key?") from None


def _without_none(given: dict[str, str | None]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _this_program() -> str:
    return str(Path(sys.prefix) / "bin" / "smsbus")


def _ask(question: str, default: str | None) -> str:
    answer: str = typer.prompt(question, default=default, err=True)
    return answer


def _ask_secret(question: str) -> str:
    answer: str = typer.prompt(question, hide_input=True, err=True)
    return answer
