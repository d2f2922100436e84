"""`smsbus dev` for tests: a Kafka, the service and simulated providers, shared by the processes of one test run."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from filelock import FileLock

from smsbus_testing.waiting import SmsbusError

START_SECONDS = 180  # the first start downloads a Kafka
STOP_SECONDS = 20
LOCK_SECONDS = START_SECONDS + 30
OK = 200


class SmsSandbox:
    """A running service with simulated providers."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.url: str = ready["url"]
        self.token: str = ready["token"]
        self.page: str = ready["page"]
        """The inbox in the browser."""
        self._callback_url: str = ready["callback_url"]
        self._control = f"{ready['sandbox_url']}/control"
        self._shown = {"Authorization": f"Bearer {ready['sandbox_token']}"}
        self._client = httpx.Client(timeout=30, trust_env=False)

    def number(self) -> str:
        """Return a number that nobody else has."""
        return f"1555{secrets.randbelow(10**8):08d}"

    def send(self, number: str, text: str, *, sender: str = "14160000000", service: str = "test") -> str:
        """Have a number receive an SMS, by callback; return the id of its event. The same text again is another SMS."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")  # by which SMS with equal texts differ
        callback = {"app": service, "from": sender, "to": number, "userId": "xxx", "text": text, "time": now}
        answer = self._client.post(self._callback_url, json=callback)
        if answer.status_code != OK:
            message = f"the service does not take the SMS: {answer.text}"
            raise SmsbusError(message)
        return str(answer.json()["id"])

    def order(self, provider: str = "smsverified", **order: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Open an order at a polled provider; `sms=[{"at": 2}]` says when its SMS come. See docs/sandbox.md."""
        return self._post("orders", {"provider": provider, **order})

    def add_fault(self, kind: str, **fault: Any) -> None:  # noqa: ANN401 - JSON
        """Have the providers fail, as `429`, `html`, `5xx`, …: see docs/sandbox.md."""
        self._post("bad", {"kind": kind, **fault})

    def clear_faults(self) -> None:
        """Have the providers work again."""
        self._client.delete(f"{self._control}/bad", headers=self._shown).raise_for_status()

    def _post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.post(f"{self._control}/{path}", json=content, headers=self._shown)
        if answer.is_error:
            message = f"the sandbox refuses: {answer.text}"
            raise SmsbusError(message)
        return dict(answer.json()) if answer.content else {}


class Shared:
    """The one sandbox of a test run: whoever is first starts it, whoever is last stops it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._state = directory / "smsbus.json"
        self._lock = FileLock(directory / "smsbus.lock", timeout=LOCK_SECONDS)

    def enter(self) -> SmsSandbox:
        """Return it, started if nobody has. Raises `SmsbusError` if it does not start."""
        with self._lock:
            state = self._read() or {"ready": _started(self._directory), "users": []}
            state["users"].append(os.getpid())
            self._state.write_text(json.dumps(state))
        return SmsSandbox(state["ready"])

    def leave(self) -> None:
        """Stop it if nobody else uses it."""
        with self._lock:
            state = self._read()
            if state is None:
                return
            state["users"] = [pid for pid in state["users"] if pid != os.getpid() and _lives(pid)]
            if state["users"]:
                self._state.write_text(json.dumps(state))
            else:
                self._state.unlink()
                _stop(state["ready"]["pid"])

    def _read(self) -> dict[str, Any] | None:
        if not self._state.exists():
            return None
        state: dict[str, Any] = json.loads(self._state.read_text())
        return state if _lives(state["ready"]["pid"]) else None


def _started(directory: Path) -> dict[str, Any]:
    ready, log = directory / "ready.json", directory / "smsbus-dev.log"
    ready.unlink(missing_ok=True)
    beside = Path(sys.executable).with_name("smsbus")
    program = str(beside) if beside.exists() else shutil.which("smsbus")
    if program is None:
        message = (
            "a test has a number of the sandbox, and the command smsbus is not installed here: install it with its "
            "extra [local], or name a service's numbers (sms_numbers in pytest's configuration)"
        )
        raise SmsbusError(message)
    with log.open("wb") as said:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [program, "dev", "--no-sms", "--any-port", "--ready-file", str(ready)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            _stop(process.pid)
            message = f"smsbus dev does not start:\n{log.read_text(errors='replace')[-2000:]}"
            raise SmsbusError(message)
        time.sleep(0.1)
    return dict(json.loads(ready.read_text()))


def _stop(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _lives(pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        os.killpg(pid, signal.SIGKILL)


def _lives(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG) != (0, 0):
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not _has_ended(pid)


def _has_ended(pid: int) -> bool:
    """Tell whether it is only in the table of processes still, for another process that started it."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False
