"""Starts a program so that it ends with its parent ("held") or outlives it ("free"). Run as a script, never imported.

`exec_wrapper.py held|free PARENT_PID OUTPUT COMMAND...`: a wrapper rather than a `preexec_fn`, because that one is
unsafe in a process with threads. `free` prints the program's pid; `held` becomes the program, so its pid is known.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # Linux, prctl(2): survives execve; fires when the *thread* that started us ends


def _hold(parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a killed broker loses nothing that it acknowledged
    if os.getppid() != parent:  # it died before the call above
        sys.exit(1)


def _main(mode: str, parent: str, output: str, *command: str) -> None:
    if mode == "held":
        _hold(int(parent))
    elif child := os.fork():
        sys.stdout.write(f"{child}\n")
        return
    target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(target, 1)
    os.dup2(target, 2)
    # A clean environment: JAVA_TOOL_OPTIONS, JAVA_HOME or CLASSPATH of this machine have no effect.
    os.execve(command[0], command, {"LC_ALL": "C.UTF-8"})  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    _main(*sys.argv[1:])
