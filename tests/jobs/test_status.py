"""--status writes the state of a run to a file, and `rankpool top` shows it."""
import contextlib
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import struct
import termios
import time

import pytest

both = pytest.mark.modes("inline", "ranks")
ranks = pytest.mark.modes("ranks")

WAITS_FOR_GO = "until [ -e go ]; do sleep 0.05; done"


def state(command, name="state"):
    return json.loads(command.read(name))


@contextlib.contextmanager
def waiting_run(command, *options, name="state", commands=(WAITS_FOR_GO,)):
    """A run that has written its first state and waits for the file `go`."""
    running = command.start("exec", "--status", name, *options, ":::", *commands)
    running.wait_until(lambda: command.path(name).exists(), "there is a status file")
    yield running
    command.write("go", "")


# --- The file --------------------------------------------------------------------------------------------------------

@both
def test_done(command, pytestconfig):
    done = command.run("squares", "--to", "1000", "--chunksize", "10", "--status", "state")
    assert done.stderr == ""
    written = state(command)
    assert written["rankpool_status"] == 1
    assert written["state"] == "done" and written["error"] is None
    assert written["job"] == "squares" and written["command"] == ["squares", "--to", "1000", "--chunksize", "10", "--status", "state"]
    assert written["host"] == os.uname().nodename and written["pid"] > 0
    assert 0 <= written["updated"] - written["started"] <= written["elapsed_seconds"] + 1
    assert written["done"] == written["total"] > 0 and written["remaining_seconds"] is None
    assert written["failed"] == written["restored"] == written["retried"] == written["workers_lost"] == 0
    assert written["rate"] > 0 and 0 <= written["busy_share"] <= 1 and written["cpu_seconds"] > 0 and written["resident_bytes"] > 0
    inline = pytestconfig.getoption("--mode") == "inline"
    assert [worker["rank"] for worker in written["workers"]] == ([0] if inline else [1, 2])
    assert sum(worker["tasks"] for worker in written["workers"]) == written["done"]
    assert all(0 <= worker["busy_share"] <= 1 and not worker["lost"] for worker in written["workers"])
    assert command.names() == ["state"]


@both
@pytest.mark.parametrize("options", [(), ("--quiet",)], ids=["usual", "quiet"])
def test_running(options, command):
    """The file is there from the start of the run, and is replaced while it runs."""
    with waiting_run(command, *options, commands=("true", WAITS_FOR_GO)) as running:
        first = state(command)
        assert first["state"] == "running"
        running.wait_until(lambda: state(command)["updated"] > first["updated"], "there is another state")
        running.wait_until(lambda: state(command)["done"] == 1, "it has the finished command")
        assert state(command)["total"] == 2
    assert running.finish().status == 0
    assert state(command)["state"] == "done" and state(command)["done"] == 2


@ranks
def test_running_task_is_busy(command):
    with waiting_run(command) as running:
        running.wait_until(lambda: any(worker["busy_share"] > 0 for worker in state(command)["workers"]), "a worker is busy")
        assert state(command)["done"] == 0
    assert running.finish().status == 0


@both
def test_failed(command):
    done = command.run("divide", "1/1", "1/0", "--strict", "--status", "state", status=1)
    written = state(command)
    assert written["state"] == "failed" and written["error"]
    command.run("exec", "--status", "state", ":::", "false", status=1)
    assert state(command)["state"] == "failed" and state(command)["failed"] == 1
    assert done.stderr.count("status") == 0


@both
def test_stopped(command):
    """A run that is stopped early, and the resumed one, which replaces the file."""
    words = ("squares", "--journal", "kept", "--status", "state")
    command.run(*words, status=75, environment={"SLURM_JOB_END_TIME": "1000000000"})
    assert state(command)["state"] == "stopped" and "time limit" in state(command)["error"]
    command.run(*words)
    assert state(command)["state"] == "done"


@both
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_terminated(number, command):
    with waiting_run(command) as running:
        running.send(number)
        assert running.finish().status == 128 + number
    assert state(command)["state"] == "stopped" and "ended by signal" in state(command)["error"]
    assert command.names("state.*") == []


@both
def test_killed(command):
    """The last state of a killed run says that it runs. The next run replaces it."""
    with waiting_run(command) as running:
        running.kill()
    killed = state(command)
    assert killed["state"] == "running"
    assert "exec: running" in command.run("top", "state").stdout
    killed["updated"] -= 3600
    command.write("state", json.dumps(killed))
    assert "no update for 1:0" in command.run("top", "state").stdout
    command.run("squares", "--status", "state")
    assert state(command)["state"] == "done"


@ranks
def test_lost_worker(command):
    kill_once = "test -e mark || { touch mark; kill -KILL $PPID; exec sleep 300; }; echo done"
    command.run("exec", "--status", "state", ":::", kill_once)
    written = state(command)
    assert written["workers_lost"] == 1
    assert [worker["lost"] for worker in written["workers"]].count(True) == 1
    page = command.run("top", "state").stdout
    assert "1 worker lost" in page and any(line.endswith("  lost") for line in page.splitlines())


@both
def test_retries_are_counted(command):
    command.run("exec", "--retries", "2", "--status", "state", ":::", "test -e mark || { touch mark; false; }")
    assert state(command)["retried"] == 1 and state(command)["done"] == 1 and state(command)["failed"] == 0


# --- What the file replaces ------------------------------------------------------------------------------------------

def test_other_file_is_kept(command):
    command.write("state", "precious")
    for options in ((), ("--force",)):
        command.fail("squares", "--status", "state", *options, names=("--status state", "is not a status file"))
    command.write("state", '{"other": "object"}')
    command.fail("squares", "--status", "state", names=("--status state", "is not a status file"))


def test_old_state_is_replaced(command):
    for text in ("", '{"rankpool_status": 77}'):
        command.write("state", text)
        command.run("squares", "--status", "state")
        assert state(command)["state"] == "done"


def test_distinct_files(command):
    command.fail("squares", "--status", "same", "--output", "same", names=("--status", "--output"))
    command.fail("squares", "--status", "same", "--trace", "same", names=("--status", "--trace"))
    command.fail("squares", "--status", "kept", "--journal", "kept", names=("--status", "--journal"))


@pytest.mark.parametrize("name", ["no/state", "/dev/null", "/proc/state", "-"])
def test_no_place_for_the_file(name, command):
    command.fail("squares", "--status", name, names="--status")


@ranks
def test_refused_under_a_launcher(command):
    command.write("state", "precious")
    done = command.run("squares", "--status", "state", ranks=2, status=2)
    assert "is not a status file" in done.stderr and command.read("state") == b"precious"


def test_link(command):
    command.path("link").symlink_to("state")
    command.run("squares", "--status", "link")
    assert command.path("link").is_symlink() and state(command)["state"] == "done"


@both
def test_removed_folder(command):
    """A state that cannot be written is one line on stderr, and the run goes on."""
    command.path("folder").mkdir()
    with waiting_run(command, "--quiet", name="folder/state") as running:
        shutil.rmtree(command.path("folder"))
        running.wait_until(lambda: (running.streams / "stderr").stat().st_size > 0, "a message")
    done = running.finish()
    assert done.status == 0
    assert len(done.messages) == 1 and "cannot write status file 'folder/state': No such file" in done.stderr


def test_full_disk(command, small_disk):
    disk = small_disk(100_000)
    disk.fill()
    done = command.run("squares", "--status", "small/state", prefix=disk.prefix)
    assert len(done.messages) == 1 and "cannot write status file 'small/state': No space" in done.stderr
    assert disk.names() == ["filler"]


def stalled_run(command):
    """A waiting run whose file system blocks from now on: the temporary file is a FIFO that nobody reads."""
    running = command.start("exec", "--status", "state", ":::", WAITS_FOR_GO)
    running.wait_until(lambda: command.path("state").exists(), "there is a status file")
    os.mkfifo(command.path(f"state.part-{running.process.pid}"))
    return running


def test_stalled_file_system(command):
    running = stalled_run(command)
    command.write("go", "")
    done = running.finish()
    assert done.status == 0
    assert "the final state was not written to status file 'state' within 5 s" in done.stderr and len(done.messages) == 1


def test_signal_on_a_stalled_file_system(command):
    running = stalled_run(command)
    running.send(signal.SIGTERM)
    assert running.finish().status == 143


# --- top -------------------------------------------------------------------------------------------------------------

def test_top_of_a_finished_run(command):
    command.run("squares", "--status", "state")
    done = command.run("top", "state")
    assert done.stderr == "" and done.lines[0] == "squares: done" and done.lines[1] == "rankpool squares --status state"
    assert command.run("top", "state", "--once").stdout == done.stdout
    assert command.run_on_terminal("top", "state", "--once").replace("\r", "") == done.stdout
    assert command.run_on_terminal("top", "state").replace("\r", "") == done.stdout


@pytest.mark.parametrize("contents", ["text", "[]", '{"rankpool_status": 1}', '{"rankpool_status": 9}'])
def test_top_of_another_file(contents, command):
    command.write("state", contents)
    command.fail("top", "state", names="'state'", status=1)


def test_top_without_a_file(command):
    command.fail("top", "state", "--once", names=("'state'", "--status"), status=1)
    command.fail("top", "state", names="'state'", status=1)
    command.fail("top", ".", names="'.'", status=1)
    command.fail("top", names="file")


def test_top_prints_no_control_characters(command):
    command.run("exec", "--status", "state", ":::", "true \x1b[31m")
    assert "\x1b" not in command.run("top", "state").stdout


def test_top_refreshes_until_the_end(command):
    with waiting_run(command) as running:
        shown = command.run_on_terminal("top", "state", until="0 of 1 done", then=lambda: command.write("go", ""))
        assert running.finish().status == 0
    page, last = shown.split("\x1b[?25h\x1b[?1049l")
    assert "exec: running" in page and "exec: running" not in last
    assert last.startswith("exec: done\r\n") and "1 of 1 done" in last


def test_top_waits_for_the_file(command):
    shown = command.run_on_terminal("top", "state", until="waiting for 'state'", then=lambda: command.run("squares", "--status", "state"))
    assert "squares: done\r\n" in shown


class Terminal:
    """`rankpool top` on a terminal of its own, with a keyboard."""

    def __init__(self, command, columns=80, rows=24):
        self.command = command
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.settings = termios.tcgetattr(self.slave)
        self.shown = b""
        self.running = command.start("top", "state", stdin=self.slave, stdout=self.slave)

    def resize(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait_for(self, text):
        end = time.monotonic() + self.command.seconds
        while text.encode() not in self.shown:
            assert select.select([self.master], [], [], max(0, end - time.monotonic()))[0], f"never shown: {text}"
            self.shown += os.read(self.master, 1 << 16)
        self.shown = self.shown.split(text.encode(), 1)[1]

    def finish(self):
        done = self.running.finish()
        assert termios.tcgetattr(self.slave) == self.settings, "the settings of the terminal are not restored"
        self.wait_for("\x1b[?25h\x1b[?1049l")  # the cursor and the screen
        os.close(self.master)
        os.close(self.slave)
        return done.status


@pytest.mark.parametrize("key", [b"q", b"Q", b"\x03"], ids=["q", "Q", "Ctrl-C"])
def test_keys_end_top(key, command):
    with waiting_run(command) as running:
        terminal = Terminal(command)
        terminal.wait_for("exec: running")
        os.write(terminal.master, b"x" + key)
        assert terminal.finish() == 0
    assert running.finish().status == 0


def test_signal_ends_top(command):
    with waiting_run(command) as running:
        terminal = Terminal(command)
        terminal.wait_for("exec: running")
        terminal.running.send(signal.SIGTERM)
        assert terminal.finish() == 143
    assert running.finish().status == 0


def test_small_terminal(command):
    """Lines are cut to the size of the terminal, also after that has changed."""
    with waiting_run(command) as running:
        terminal = Terminal(command, columns=20, rows=4)
        terminal.wait_for("exec: running\x1b[K\r\nrankpool exec --stat\x1b[K\r\n")
        terminal.resize(40, 24)
        os.killpg(terminal.running.process.pid, signal.SIGWINCH)
        terminal.wait_for("rankpool exec --status state ::: until [\x1b[K\r\n")
        os.write(terminal.master, b"q")
        assert terminal.finish() == 0
    assert running.finish().status == 0
