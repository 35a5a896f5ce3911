#!/usr/bin/env python3
"""terminal.py CASE COMMAND...: runs a program that starts itself in a terminal, as a shell with job control does.

The exit status is 0 if the case passes, and 1 after a message if it fails.
"""

import os
import pty
import select
import signal
import sys
import tempfile
import time

LIMIT_SECONDS = 60


class Terminal:
    """A pseudo-terminal. A child process leads its session and acts as the shell."""

    def __init__(self):
        self.end = time.monotonic() + LIMIT_SECONDS
        self.text = ""
        self.orders, orders = os.pipe()
        self.leader, self.master = pty.fork()
        if self.leader == 0:
            os.close(orders)
            return
        os.close(self.orders)
        self.orders = orders

    def type(self, text):
        os.write(self.master, text.encode())

    def wait_for(self, text):
        """Waits until the terminal shows the text after the end of the previous match."""
        while text not in self.text:
            if not self.read():
                fail(f"expected {text!r} on the terminal, but it shows {self.text!r}")
        self.text = self.text.split(text, 1)[1]

    def wait_for_end(self):
        while self.read():
            pass
        if time.monotonic() >= self.end:
            fail(f"the program does not end; the terminal shows {self.text!r}")
        return os.waitstatus_to_exitcode(os.waitpid(self.leader, 0)[1])

    def read(self):
        left = self.end - time.monotonic()
        if left <= 0 or not select.select([self.master], [], [], left)[0]:
            return False
        try:
            got = os.read(self.master, 4096)
        except OSError:  # the last process with this terminal has ended
            return False
        self.text += got.decode()
        return bool(got)

    def send_order(self, order):
        """Tells the shell to continue the stopped job, as "fg" does."""
        os.write(self.orders, order)


def fail(message):
    print(message)
    sys.exit(1)


def run_shell(command, orders, background, reads):
    """Runs the command as a job, reports when it is stopped, and reads a line after the job if `reads`. Exits with its status."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        if not background:
            os.tcsetpgrp(0, os.getpgrp())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execvp(command[0], command)
    while True:
        _, status = os.waitpid(job, os.WUNTRACED)
        owner = os.tcgetpgrp(0)
        os.tcsetpgrp(0, os.getpgrp())
        if not os.WIFSTOPPED(status):
            break
        print("stopped", flush=True)
        os.read(orders, 1)
        os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)
    if owner not in (job, os.getpgrp()):
        print("the terminal was left to another process group", flush=True)
    if reads:
        print("the shell reads: " + sys.stdin.readline(), end="", flush=True)
    os._exit(os.waitstatus_to_exitcode(status) & 255)


def main():
    case, command = sys.argv[1], sys.argv[2:]
    scratch = tempfile.TemporaryDirectory()
    os.chdir(scratch.name)
    terminal = Terminal()
    if terminal.leader == 0:
        run_shell(command, terminal.orders, background=case == "background", reads=case in ("typed-ahead", "background"))
    expected = 0
    if case == "isatty":
        terminal.wait_for("111\r\n")
    elif case == "typed-ahead":  # the shell reads the input that the program leaves
        terminal.type("the next command\n")
        terminal.wait_for("the shell reads: the next command\r\n")
    elif case in ("read", "child-reads"):
        terminal.wait_for("2 workers: 9\r\n")
        terminal.type("typed by the user\n")
        terminal.wait_for("typed by the user\r\n")  # the terminal's echo
        terminal.wait_for("typed by the user\r\n")
        terminal.type("\x04")
    elif case == "interrupted":
        terminal.wait_for("2 workers: 9\r\n")
        terminal.type("a line\n")
        terminal.wait_for("a line\r\n")
        terminal.wait_for("a line\r\n")
        terminal.type("\x03")
        expected = 128 + signal.SIGINT
    elif case == "stopped":
        terminal.wait_for("2 workers: 9\r\n")
        terminal.type("a line\n")
        terminal.wait_for("a line\r\n")
        terminal.wait_for("a line\r\n")
        terminal.type("\x1a")
        terminal.wait_for("stopped\r\n")
        terminal.send_order(b"f")
        terminal.type("another line\n")
        terminal.wait_for("another line\r\n")
        terminal.wait_for("another line\r\n")
        terminal.type("\x04")
    elif case == "background":  # the program does not read the terminal's input
        terminal.type("the next command\n")
        terminal.wait_for("the shell reads: the next command\r\n")
        expected = 3
    else:
        fail(f"unknown case {case!r}")
    status = terminal.wait_for_end()
    if status != expected:
        fail(f"the status is {status}, expected {expected}; the terminal shows {terminal.text!r}")
    if "was left to another" in terminal.text:
        fail(terminal.text)


main()
