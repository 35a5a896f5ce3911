"""Tests the job `exec`: output and its order, exit statuses, files, and that no command survives the end of a run."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest
from command import kill_at_once

HERE = pathlib.Path(__file__).resolve()
both = pytest.mark.modes("inline", "ranks")
ranks = pytest.mark.modes("ranks")


def run(command, *arguments, **how):
    return command.run("exec", *arguments, **how)


def run_lines(command, *lines, options=(), end="\n", status=0, **how):
    """Runs command lines from stdin."""
    command.write("lines", end.join(lines) + end)
    with open(command.path("lines"), "rb") as stdin:
        return command.run("exec", *options, stdin=stdin, status=status, **how)


# --- Output ----------------------------------------------------------------------------------------------------------

def test_order_of_input(command):
    done = run_lines(command, "sleep 0.2; echo 1", "echo 2", "printf 3")
    assert done.stdout == "1\n2\n3"


@ranks
def test_order_on_ranks(command):
    numbers = range(1, 61)
    lines = [f"{'sleep 0.05; ' if n % 20 == 0 else ''}echo {n}; echo e{n} >&2" for n in numbers]
    done = run_lines(command, *lines)
    assert done.lines == [str(n) for n in numbers] and done.messages == [f"e{n}" for n in numbers]
    done = run_lines(command, *lines, options=["--as-completed"])
    assert sorted(done.lines) == sorted(str(n) for n in numbers) and sorted(done.messages) == sorted(f"e{n}" for n in numbers)


def test_nothing(command):
    done = run(command)
    assert (done.stdout, done.stderr) == ("", "")


def test_stderr(command):
    done = run(command, ":::", "echo a >&2", "echo b")
    assert (done.stdout, done.stderr) == ("b\n", "a\n")


def test_dry_run(command):
    done = run(command, "--dry-run", "touch", "{}.x", ":::", "a b", "it's")
    assert done.lines == ["touch 'a b.x'", "touch 'it'\\''s.x'"] and command.names() == []


@ranks
def test_slow_reader(command):
    """The memory for output that waits for a slow reader is bounded."""
    command.write("peak", """
for pid in $(ps -o pid= --ppid $(ps -o ppid= -p "$PPID")); do
  if tr '\\0' '\\n' </proc/$pid/environ 2>/dev/null | grep -qx OMPI_COMM_WORLD_RANK=0; then
    sed -n 's/^VmHWM:[[:space:]]*\\([0-9]*\\) kB/\\1/p' /proc/$pid/status
  fi
done >peak-kb
""")
    command.write("lines", "head -c 4000000 /dev/zero\n" * 199 + "exec sh peak\n")
    read_end, write_end = os.pipe()
    running = command.start("exec", "--quiet", "lines", stdout=write_end)
    os.close(write_end)
    time.sleep(1.5)  # simulates a slow reader
    count = 0
    with open(read_end, "rb") as pipe:
        while block := pipe.read(1 << 20):
            count += len(block)
    assert running.finish().status == 0
    assert count == 796_000_000
    assert 10_000 < int(command.read("peak-kb")) < 200_000, "kB that rank 0 has needed"


# --- Commands from arguments -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("words, output", [
    (["echo", "{2}-{1}", ":::", "a", "b", ":::", "x", "y  z"], "x-a\ny  z-a\nx-b\ny  z-b\n"),
    (["--quiet", "printf", "--json=%s\\n", "--force", "{}", ":::", "a"], "--json=--force\n--json=a\n"),
    (["grep", "-c", "--", "--retries", "{}", ":::", str(HERE)], None),
    (["grep", "-c", "--", "{}", str(HERE), ":::", "--retries"], None),
    (["--retries", "1", "--", "echo", ":::", "a", "b"], "a\nb\n"),
    (["printf", "%s\\n", ":::", "sort", "exec", "--help"], "sort\nexec\n--help\n"),
    (["--colsep", "-", "echo", "{4}", "{3}", "{2}", "{1}", ":::", "A-B", ":::", "C-D"], "D C B A\n"),
    (["--colsep", ",", "echo", "[{3}]", ":::", "a,b"], "[]\n"),
], ids=lambda value: " ".join(value[:4]).replace(str(HERE), "FILE") if isinstance(value, list) else "")
def test_arguments(words, output, command):
    done = run(command, *words)
    assert done.stdout == output if output is not None else len(done.lines) == 1


@pytest.mark.parametrize("text, words, output", [
    ("a,b\nc , d\n", ["--colsep", ",", "--", "echo", "{2}-{1}"], "b-a\nd-c\n"),
    ("a\tb c\n", ["--colsep", "\\t", "--", "echo", "{2}", "{1}"], "b c a\n"),
    ("a  b\n", ["--colsep", " +", "--", "echo", "{2}{1}"], "ba\n"),
], ids=["comma", "tab", "expression"])
def test_columns(text, words, output, command):
    command.write("list", text)
    with open(command.path("list"), "rb") as stdin:
        assert run(command, *words, stdin=stdin).stdout == output


def test_template_for_file(command):
    command.write("list", "a b\r\n\n#c")
    assert run(command, "--as-completed", "list", "--", "printf", "[%s]").stdout == "[a b][#c]"


@ranks
def test_named_pipe(command):
    """A named pipe is opened only once."""
    os.mkfifo(command.path("pipe"))
    with command.beside("echo 'echo a' >pipe"):
        assert run(command, "pipe").stdout == "a\n"


@both
def test_worker_of_command(command):
    """A command knows the rank and the slot of its worker. On ranks, both workers run a command at the same time."""
    words = ("touch $RANKPOOL_SLOT; until [ -e 0 ] && [ -e 1 ]; do sleep 0.02; done; echo $RANKPOOL_RANK:$RANKPOOL_SLOT",)
    if command.workers == "0":
        assert run(command, ":::", "echo $RANKPOOL_RANK:$RANKPOOL_SLOT", environment={"RANKPOOL_SLOT": "7"}).stdout == "0:0\n"
    else:
        assert sorted(run(command, ":::", *words * 2).lines) == ["1:0", "2:1"]


@ranks
def test_nested(command):
    """A command may be an MPI program."""
    words = [f"RANKPOOL_WORKERS={workers} '{command.program}' squares --to 2" for workers in (1, 0)]
    assert run(command, ":::", *words).lines == ["Square of 1: 1", "Square of 2: 4"] * 2


# --- Failures --------------------------------------------------------------------------------------------------------

def test_status_counts_failures(command):
    done = run_lines(command, "exit 9", "true", "kill -9 $$", "no-such-program", status=3)
    assert "no-such-program" in done.stderr
    run_lines(command, *["false"] * 150, status=101)
    run_lines(command, *["false"] * 75, options=["--quiet"], status=76)  # status 75 means stopped early


def test_failure_in_one_line(command):
    long = f": {'-'.join(map(str, range(1, 100)))}; false"
    done = run(command, ":::", "true", "echo oh >&2; exit 3", "kill -9 $$", long, status=3)
    assert done.stdout == "" and len(done.messages) == 4
    text = done.stderr
    assert "command 2" in text and "status 3: echo oh >&2; exit 3\n" in text
    assert "command 3" in text and "signal 9: kill -9 " in text
    assert re.search(r"command 4 .*status 1: .*-27-28-\.\.\.$", text, re.MULTILINE)


def test_timeout(command):
    """A timeout is reported once."""
    done = run(command, "--timeout", "0.1", ":::", "sleep 20", status=1)
    assert len(done.messages) == 1 and "command 1" in done.stderr and "0.1 s" in done.stderr


def test_quiet(command):
    """--quiet suppresses neither failures nor the message of an early end."""
    done = run(command, "--quiet", ":::", "echo oh >&2; false", status=1)
    assert len(done.messages) == 2 and done.messages[0] == "oh" and "command 1" in done.messages[1]
    done = run_lines(command, *["false"] * 50, options=["--quiet", "--max-failures", "3"], status=3)
    assert len(done.messages) == 4 and "3 commands failed" in done.stderr


def test_max_failures(command):
    done = run_lines(command, *["false"] * 50, options=["--max-failures", "3"], status=3)
    assert len(done.messages) == 4 and "3 commands failed" in done.stderr and "--max-failures 3" in done.stderr
    done = run(command, "--max-failures", "2", ":::", "false", "echo a", status=1)
    assert done.stdout == "a\n" and len(done.messages) == 1


@ranks
def test_halt_on_error(command):
    run_lines(command, "exit 7", *["sleep 0.02; echo x >>ran"] * 4999, options=["--halt-on-error"], status=1)
    assert not command.path("ran").exists() or len(command.read("ran").split()) < 500


@ranks
def test_retries(command):
    run(command, "--retries", "5", "--quiet", ":::", "echo x >>n; [ $(wc -l <n) = 3 ]", "echo y >>m; false", status=1)
    assert (command.read("n"), command.read("m")) == (b"x\n" * 3, b"y\n" * 6)


def test_delay(command):
    """The delay applies twice between three commands."""
    begin = time.monotonic()
    run(command, "--delay", "200ms", ":::", "true", "true", "true")
    assert time.monotonic() - begin >= 0.4


# --- Records of commands ---------------------------------------------------------------------------------------------

@ranks
def test_log_and_results(command):
    run(command, "--log", "log", "--results", "results", ":::", "printf 12345", "echo oh >&2; exit 3", "kill -9 $$", status=2)
    header, *rows = [line.split("\t") for line in command.read("log").decode().splitlines()]
    assert header == ["Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive", "Exitval", "Signal", "Command", "Rank"]
    assert sorted((row[0], *row[4:9]) for row in rows) == [
        ("1", "0", "5", "0", "0", "printf 12345"), ("2", "0", "0", "3", "0", "echo oh >&2; exit 3"),
        ("3", "0", "0", "0", "9", "kill -9 $$")]
    assert {row[1] for row in rows} == {socket.gethostname()}
    results = [json.loads(line) for line in command.read("results").splitlines()]
    assert [result["sequence"] for result in results] == [1, 2, 3]
    assert [(result["status"], result["signal"]) for result in results] == [(0, 0), (3, 0), (0, 9)]
    assert results[1]["stderr"] == "oh\n" and results[0]["stdout_bytes"] == 5
    assert all(result["rank"] in (1, 2) and result["seconds"] < 60 for result in results)


@ranks
def test_log_is_followed(command):
    """The log and the results contain finished commands while others run."""
    running = command.start("exec", "--log", "log", "--results", "results", ":::", "echo a",
                            "until [ -e go ]; do sleep 0.05; done")
    log, results = running.wait_for_file("log.part-*"), running.wait_for_file("results.part-*")
    running.wait_until(lambda: b"\techo a\t" in log.read_bytes(), "the log has what is done")
    running.wait_until(lambda: b'"echo a"' in results.read_bytes(), "the results have what is done")
    command.write("go", "")
    assert running.finish().status == 0


# --- Endings ---------------------------------------------------------------------------------------------------------

def is_gone(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def children(pid):
    return [int(child) for child in subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True,
                                                    check=False).stdout.split()]


class Sleepers:
    """A run with two commands that write their process ids to files and sleep. Each has a shell and a sleep; both must end."""

    def __init__(self, command):
        self.command = command
        self.running = command.start("exec", "--output", "out", "--log", "log", "--results", "results", ":::",
                                     "echo $$ >1; sleep 300; true", "echo $$ >2; sleep 300; true")
        self.shells = []
        for name in ("1", "2"):
            self.running.wait_until(lambda path=command.path(name): path.exists() and path.read_bytes(), "a command sleeps")
            self.shells.append(int(command.read(name)))
        self.running.wait_until(lambda: all(children(shell) for shell in self.shells), "the sleeps have begun")
        self.processes = [*self.shells, *(child for shell in self.shells for child in children(shell))]

    def expect_gone(self):
        """Checks that no command survived, no file has its final name, and the next run succeeds."""
        self.running.wait_after_end(lambda: all(is_gone(pid) for pid in self.processes), "the commands have ended")
        assert not {"out", "log", "results"} & set(self.command.names())
        self.command.run("exec", "--output", "out", "--log", "log", "--results", "results", ":::", "echo a")
        assert self.command.read("out") == b"a\n"


def launcher_and_ranks(pid):
    """Excludes guards, which are shells, and commands, which must end by themselves."""
    found = [rank for child in children(pid) for rank in launcher_and_ranks(child)]
    name = pathlib.Path(f"/proc/{pid}/comm")
    return found if not name.exists() or name.read_text().strip() == "sh" else [*found, pid]


@ranks
def test_killed(command):
    sleepers = Sleepers(command)
    kill_at_once([pid for pid in launcher_and_ranks(sleepers.running.process.pid) if pid not in sleepers.processes])
    sleepers.running.finish()
    sleepers.expect_gone()


@ranks
def test_worker_killed(command):
    """If a worker is killed, its command ends with it and runs again on another worker."""
    sleepers = Sleepers(command)
    first, second = sleepers.shells
    of_first = [first, *children(first)]
    status = pathlib.Path(f"/proc/{first}/stat").read_text()
    os.kill(int(status.rpartition(")")[2].split()[1]), signal.SIGKILL)
    sleepers.running.wait_until(lambda: all(is_gone(pid) for pid in of_first), "the command has ended with its worker")
    os.kill(children(second)[0], signal.SIGKILL)  # its shell goes on, and succeeds
    sleepers.running.wait_until(lambda: command.read("1") not in (b"", b"%d\n" % first), "the first command runs again")
    again = int(command.read("1"))
    sleepers.running.wait_until(lambda: children(again), "it sleeps")
    os.kill(children(again)[0], signal.SIGKILL)
    result = sleepers.running.finish()
    assert result.status == 0
    assert "was lost: its process has ended" in result.stderr
    assert all(is_gone(pid) for pid in [*sleepers.processes, again])


@ranks
def test_lost_worker_is_counted(command):
    """--json and the journal have the worker that a command has killed, and what it had not finished."""
    kill_once = "test -e mark || { touch mark; kill -KILL $PPID; exec sleep 300; }; echo done"
    report = command.run("exec", "--json", "--journal", "run.journal", ":::", kill_once, "echo other").report
    assert report["status"] == "done" and report["workers_lost"] == 1 and report["tasks_lost"] >= 1
    assert "\nlost workers\n  rank " in command.run("journal", "run.journal").stdout
    (loss,) = command.run("journal", "run.journal", "--json").report["losses"]
    assert loss["rank"] > 0 and loss["items"] == report["tasks_lost"] and loss["cause"].startswith("has ended, by SIGKILL")


@ranks
def test_terminated(command):
    sleepers = Sleepers(command)
    sleepers.running.send(signal.SIGTERM)
    assert sleepers.running.finish().status == 143
    assert command.names("*.part-*") == []
    sleepers.expect_gone()


def expect_command_gone(command, running):
    """Returns the second command, if it has started."""
    if command.path("1").exists() and (pid := command.read("1")):
        running.wait_after_end(lambda: is_gone(int(pid)), "the command has ended")


@both
def test_reader_goes_away(command):
    """When the reader closes the pipe, the run and its commands end."""
    lines = ["echo a; yes | head -c 300000", "echo b", "echo $$ >1; exec sleep 300"]
    read_end, write_end = os.pipe()
    running = command.start("exec", ":::", *lines, stdout=write_end)
    os.close(write_end)
    assert os.read(read_end, 2) == b"a\n"
    os.close(read_end)
    assert running.finish().status == 141
    expect_command_gone(command, running)


@ranks
@pytest.mark.parametrize("option", ["--output", "--log", "--results"])
def test_disk_full_while_running(option, command):
    """Running commands do not delay the end of the run."""
    running = command.start("exec", "--quiet", option, "/dev/full", ":::", "echo a", "echo $$ >1; exec sleep 300")
    done = running.finish()
    assert done.status == 1
    assert len(done.messages) == 1 and "cannot write /dev/full: No space left on device" in done.stderr
    expect_command_gone(command, running)


@pytest.mark.parametrize("option", ["--output", "--results"])
def test_disk_full_in_the_middle(option, command, small_disk):
    """The disk becomes full within a line, or within the output of one command."""
    disk = small_disk(64 << 10)
    script = "head -c 3000000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' y >&2"
    done = run(command, "--quiet", option, "small/x", ":::", script, status=1, prefix=disk.prefix)
    assert "small/x: No space left" in done.stderr
    assert disk.names() == []


@pytest.mark.modes("inline", "ranks")
def test_slot(command):
    """{%} is the slot of the worker, as in RANKPOOL_SLOT, in every kind of word."""
    lines = command.run("exec", 'echo "a {%} b{%}c" $RANKPOOL_SLOT {}', ":::", "x", "y").lines
    assert len(lines) == 2
    for line, argument in zip(lines, "xy"):
        slot = line.split()[1]
        assert slot in "01" and line == f"a {slot} b{slot}c {slot} {argument}"
    assert command.run("exec", "--workers", "1", "echo", "{%}", "s{%}", "{}", ":::", "{%}").lines == ["0 s0 {%}"]
    assert command.run("exec", "--dry-run", "echo", "{%}", "{}", ":::", "x").lines == ["echo '{%}' x"]


def test_task_timeout_with_isolation(command):
    """A command that runs longer than --task-timeout is killed with its process, and the others run."""
    done = command.run("exec", "--isolate", "--task-timeout", "1s", "sh", "-c", "{}", ":::", "sleep 100", "echo after",
                       status=1)
    assert done.stdout == "after\n"
    assert "time limit of 1 s" in done.stderr
