#!/usr/bin/env python3
"""job_control.py PROGRAM: at a terminal, Ctrl-Z stops a program that starts itself and all its ranks, SIGCONT continues
them, and Ctrl-C ends them."""
import contextlib
import os
import pathlib
import pty
import signal
import sys
import time

DEADLINE = time.monotonic() + 90
MARK = f"RANKPOOL_TEST_MARK={os.getpid()}"


def fail(text):
    print(text)
    for pid in marked():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    sys.exit(1)


def marked():
    """Returns {pid: state} of the processes of the run, which have MARK in their environment."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if MARK.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            pass
    return found


def until(condition, text):
    while not condition():
        if time.monotonic() > DEADLINE:
            fail(f"{text}: {marked()}")
        time.sleep(0.02)


def all_stopped():
    return set(marked().values()) == {"T"}


pid, terminal = pty.fork()
if pid == 0:
    key, value = MARK.split("=")
    os.execve(sys.argv[1], [sys.argv[1], "task-waits"], os.environ | {"RANKPOOL_WORKERS": "2", key: value})

printed = b""
while b"2 workers: 9" not in printed:  # the ranks are running
    printed += os.read(terminal, 1000)
if len(marked()) < 5:
    fail(f"expected five processes: the program, its launcher and three ranks, but found {marked()}")

os.write(terminal, b"\x1a")
_, status = os.waitpid(pid, os.WUNTRACED)
if not os.WIFSTOPPED(status):
    fail(f"Ctrl-Z does not stop the program: {status}, {printed}")
until(all_stopped, "Ctrl-Z does not stop all processes")
os.kill(pid, signal.SIGCONT)
until(lambda: "T" not in marked().values(), "SIGCONT does not continue all processes")

os.write(terminal, b"\x03")
try:
    while chunk := os.read(terminal, 1000):
        printed += chunk
except OSError:
    pass  # the terminal's last process has ended
_, status = os.waitpid(pid, 0)
if left := marked():
    fail(f"processes are left after Ctrl-C: {left}")
if os.waitstatus_to_exitcode(status) != 130 or b"stopped by signal 2 (Interrupt); no rank is left" not in printed:
    fail(f"after Ctrl-C, the status is {os.waitstatus_to_exitcode(status)} and the output {printed}")
