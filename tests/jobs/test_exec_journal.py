"""Tests exec with --journal, which identifies a command by its words and its folder: which commands run again."""
import os
import re
import signal

import pytest

pytestmark = pytest.mark.modes("ranks")


def ran(command):
    return sorted(command.read("ran").decode().split())


def commands(command, *lines):
    command.write("commands", "".join(line + "\n" for line in lines))


def test_failed_commands(command):
    """Only failed commands run again. A command counts as successful if a retry succeeds."""
    commands(command, "echo a >>ran", "echo b >>ran; test -e ready", "echo c >>ran; test $(grep -c c ran) -gt 1")
    command.run("exec", "commands", "--journal", "kept", "--retries", "1", status=1)
    assert ran(command) == list("abbcc")
    command.write("ready", "")
    done = command.run("exec", "commands", "--journal", "kept", "--retries", "1")
    assert ran(command) == list("abbbcc")
    assert len(done.messages) == 1 and re.search(r"\b2 ", done.stderr)
    assert not re.search("[1-9][0-9]* failed", command.run("journal", "kept").stdout)


def test_failure_that_halts(command):
    """A command whose retry succeeds does not stop the others with --halt-on-error."""
    commands(command, "echo a >>ran", "echo c >>ran; test $(grep -c c ran) -gt 1")
    command.run("exec", "commands", "--journal", "kept", "--retries", "1", "--halt-on-error")
    command.run("exec", "commands", "--journal", "kept", "--retries", "1", "--halt-on-error")
    assert ran(command) == list("acc")


def test_another_folder(command):
    for name in ("here", "there"):
        command.path(name).mkdir()
    command.run("exec", "--journal", "../kept", ":::", "pwd", folder="here")
    command.fail("exec", "--journal", "../kept", ":::", "pwd", folder="there", names=("kept", "/here'", "/there'"))


def test_edited_commands(command):
    """A command is identified by its words, whatever its position and the name or kind of its input."""
    lines = ["echo a >>ran; echo a", "echo b >>ran; echo b"]
    commands(command, *lines)
    command.run("exec", "commands", "--journal", "kept")
    commands(command, "echo new >>ran; echo new", *lines)
    with open(command.path("commands"), "rb") as stdin:
        assert command.run("exec", "--journal", "kept", stdin=stdin).lines == ["new", "a", "b"]
    assert ran(command) == ["a", "b", "new"]
    command.run("exec", "./commands", "--journal", "kept")
    assert ran(command) == ["a", "b", "new"]


def test_stopped_in_delay(command):
    running = command.start("exec", "--journal", "kept", "--delay", "1h", ":::", "touch 1", "touch 2")
    running.wait_for_file("1")
    running.send(signal.SIGTERM)
    assert running.finish().status == 75


def test_stopped_while_waiting_for_input(command):
    """A stop takes effect while no command runs and the input provides no data."""
    os.mkfifo(command.path("input"))
    held = os.open(command.path("input"), os.O_RDWR)
    try:
        os.write(held, b"touch 3\n")
        running = command.start("exec", "--journal", "kept", "input")
        running.wait_for_file("3")
        running.send(signal.SIGTERM)
        assert running.finish().status == 75
    finally:
        os.close(held)


def test_longer_timeout(command):
    """Only a command that exceeded --timeout runs again with a longer timeout."""
    commands(command, "echo a >>ran", "echo b >>ran; until [ -e ready ]; do sleep 0.05; done")
    command.run("exec", "commands", "--journal", "kept", "--timeout", "3s", status=1)
    command.write("ready", "")
    command.run("exec", "commands", "--journal", "kept", "--timeout", "2min", "--retries", "2", "--as-completed")
    assert ran(command) == list("abb")


def test_max_failures(command):
    """A run that --max-failures stopped is resumed."""
    commands(command, *(f"echo {n} >>ran; [ {n} -gt 4 -o -e ready ]" for n in range(1, 31)))
    words = ("exec", "commands", "--journal", "kept", "--max-failures", "2")
    done = command.run(*words, status=2, workers=1)
    assert "--max-failures 2" in done.stderr and "journal" in done.stderr
    assert ran(command) == ["1", "2"]
    command.write("ready", "")
    command.run(*words)
    assert ran(command) == sorted(["1", "1", "2", "2", *(str(n) for n in range(3, 31))])
