"""Runs the command `rankpool` for tests: in a folder of its own, with a timeout for every wait, and with a record of all runs.

A failed test prints the record: each command with its status and output. No process survives its test.
"""
import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import pty
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

MPI_ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}
MARK = "RANKPOOL_TEST_MARK"


@dataclasses.dataclass(frozen=True)
class Finished:
    """A run that has ended."""
    words: tuple
    status: int
    stdout: str
    stderr: str

    @property
    def lines(self):
        return self.stdout.splitlines()

    @property
    def messages(self):
        return self.stderr.splitlines()

    @property
    def report(self):
        """The object of --json, which must be one line."""
        assert len(self.lines) == 1, "--json prints other than one line"
        return json.loads(self.stdout)

    def __str__(self):
        def indented(text):
            return "".join(f"  {line[:300]}\n" for line in text.splitlines()[:30])

        output = f"stdout:\n{indented(self.stdout)}stderr:\n{indented(self.stderr)}"
        return f"$ {shlex.join(self.words)}\nstatus {self.status}\n{output}"


class Running:
    """A started run."""

    def __init__(self, command, process, words, streams):
        self.command, self.process, self.words, self.streams = command, process, words, streams

    def wait_until(self, condition, event):
        """Waits for an event of the run. The run must not end before the event."""
        end = time.monotonic() + self.command.seconds
        while not condition():
            if self.process.poll() is not None and not condition():
                raise AssertionError(f"the run ended before {event}: {self.finish()}")
            assert time.monotonic() < end, f"not within {self.command.seconds} s: {event}"
            time.sleep(0.01)

    def stop_at_results(self, number):
        """Sends a signal once there are results in the journal. The ranks are stopped during this check, so that the run cannot
        end before the signal."""
        def has_results():
            self.command.signal_ranks(signal.SIGSTOP)
            if self.command.has_results():
                self.send(number)
                self.command.signal_ranks(signal.SIGCONT)
                return True
            self.command.signal_ranks(signal.SIGCONT)
            time.sleep(0.02)
            return False

        self.wait_until(has_results, "there are results in its journal")

    def wait_after_end(self, condition, event):
        """Waits until other processes fulfill a condition after the started process has ended."""
        end = time.monotonic() + self.command.seconds
        while not condition():
            assert time.monotonic() < end, f"not within {self.command.seconds} s: {event}"
            time.sleep(0.01)

    def wait_for_file(self, pattern):
        """Waits until a file matches this pattern, and returns its path."""
        self.wait_until(lambda: list(self.command.folder.glob(pattern)), f"there is a file {pattern}")
        return next(iter(self.command.folder.glob(pattern)))

    def send(self, number):
        self.process.send_signal(number)

    def kill(self):
        """Kills all processes of the run at once: launcher, ranks and commands."""
        self.command.kill_all(self.words)
        self.process.wait(self.command.seconds)

    def finish(self):
        """Waits for the end of the run."""
        try:
            status = self.process.wait(self.command.seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            status = None
        # A shell's exit status after signal n is 128 + n.
        status = 128 - status if status is not None and status < 0 else status
        texts = [(self.streams / name).read_bytes().decode(errors="backslashreplace") if (self.streams / name).exists() else ""
                 for name in ("stdout", "stderr")]
        finished = Finished(self.words, status, *texts)
        self.command.record.append(str(finished))
        assert status is not None, f"the run did not end within {self.command.seconds} s"
        return finished


def send_signal(pid, number):
    """Sends a signal to a process, unless it has ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def kill_at_once(pids):
    """Stops all these processes before it kills them, so that none reacts to the death of another."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            send_signal(pid, number)


def shared_files(pid):
    """Returns the files in /dev/shm that a process has mapped."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # it has ended
        return set()
    return {line.split(None, 5)[5] for line in lines if " /dev/shm/" in line and not line.endswith("(deleted)")}


class Command:
    """The command `rankpool` in a new folder. `workers` is the value of RANKPOOL_WORKERS."""

    def __init__(self, program, mpirun, workers, seconds):
        self.program, self.mpirun, self.workers, self.seconds = program, mpirun, workers, seconds
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="rankpool-test-"))
        self.folder = self.base / "work"
        self.folder.mkdir()
        (self.base / "tmp").mkdir()
        self.mark = uuid.uuid4().hex
        self.record = []
        self.runs = 0

    def remove(self):
        self.kill_all()
        shutil.rmtree(self.base, ignore_errors=True)

    def start(self, *arguments, ranks=None, prefix=(), workers=None, environment=(), folder=".", stdin=subprocess.DEVNULL,
              stdout=None, stderr=None):
        """Starts the command. With `ranks`, under mpirun; `prefix` are words before it. Streams are captured by default."""
        launcher = (self.mpirun, "-n", str(ranks), "--oversubscribe", "--bind-to", "none") if ranks else ()
        words = (*prefix, *launcher, self.program, *map(str, arguments))
        self.runs += 1
        streams = self.base / str(self.runs)
        streams.mkdir()
        variables = os.environ | MPI_ENVIRONMENT | {
            "RANKPOOL_WORKERS": str(self.workers if workers is None else workers),
            "TMPDIR": str(self.base / "tmp"),
            MARK: self.mark,
        } | dict(environment)
        for name in ("SLURM_JOB_END_TIME", "COLUMNS"):
            if name not in dict(environment):
                variables.pop(name, None)
        given = {"stdout": stdout, "stderr": stderr}
        opened = {name: open(streams / name, "wb") for name, stream in given.items() if stream is None}
        process = subprocess.Popen(words, cwd=self.folder / folder, env=variables, stdin=stdin, start_new_session=True,
                                   **(given | opened))
        for file in opened.values():
            file.close()
        return Running(self, process, words, streams)

    def run(self, *arguments, status=0, **how):
        """Runs the command to its end and checks its exit status."""
        finished = self.start(*arguments, **how).finish()
        assert finished.status == status, f"status {finished.status}, not {status}"
        return finished

    def fail(self, *arguments, names, status=2, **how):
        """Runs a command that must fail with one line that contains `names`, print no result and change no file."""
        before = self.state()
        finished = self.run(*arguments, status=status, **how)
        assert len(finished.messages) == 1, "other than one line on stderr"
        assert finished.stderr.startswith("rankpool"), "the message does not name the command"
        for name in [names] if isinstance(names, str) else names:
            assert name in finished.stderr, f"the message does not name {name}"
        assert finished.stdout == "", "a result is printed"
        assert self.state() == before, "files have changed"
        return finished

    def run_on_terminal(self, *arguments, status=0, until=None, then=None, **how):
        """Runs the command with a terminal as stdout and stderr, and returns what the terminal shows. Calls `then` once the text
        `until` is shown."""
        master, slave = pty.openpty()
        text = b""
        try:
            running = self.start(*arguments, stdout=slave, stderr=slave, **how)
            os.close(slave)
            end = time.monotonic() + self.seconds
            while (left := end - time.monotonic()) > 0 and select.select([master], [], [], left)[0]:
                try:
                    text += os.read(master, 1 << 16)
                except OSError:  # all processes have closed the terminal
                    break
                if until is not None and until.encode() in text:
                    until = None
                    then()
            finished = running.finish()
        finally:
            os.close(master)
            self.record.append(f"the terminal shows {text!r}\n")
        assert until is None, f"the terminal never shows {until!r}"
        assert finished.status == status, f"status {finished.status}, not {status}"
        return text.decode(errors="backslashreplace")

    @contextlib.contextmanager
    def beside(self, script):
        """Runs a shell script in parallel, which must succeed."""
        process = subprocess.Popen(["sh", "-c", script], cwd=self.folder, env=os.environ | {MARK: self.mark},
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            yield
            assert process.wait(self.seconds) == 0, f"status {process.returncode} of {script}"
        finally:
            process.kill()
            process.wait()

    def has_results(self, journal="kept"):
        """Returns whether the journal has finished tasks. A run may be writing to it."""
        if not (self.folder / journal).exists():
            return False
        words = [self.program, "journal", journal, "--json", "--failures", "0", "--slowest", "0"]
        looked = subprocess.run(words, cwd=self.folder, env=os.environ | {"TMPDIR": str(self.base / "tmp")}, capture_output=True,
                                text=True, timeout=self.seconds, check=False)
        return looked.returncode == 0 and any(call["chunks"] > 0 for call in json.loads(looked.stdout)["calls"])

    def signal_ranks(self, number):
        for pid in self.processes(b"OMPI_COMM_WORLD_RANK="):
            send_signal(pid, number)

    def processes(self, variable=b""):
        """Returns the processes of all runs, youngest first; with `variable`, only those with it in their environment."""
        mark = f"{MARK}={self.mark}".encode()
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                environment = (path / "environ").read_bytes().split(b"\0")
                if mark in environment and any(text.startswith(variable) for text in environment):
                    found.append(int(path.name))
            except OSError:  # the process has ended, or belongs to another user
                continue
        return sorted(found, reverse=True)

    def kill_all(self, words=()):
        """Kills all remaining processes of all runs at once. Removes their files in /dev/shm, which MPI cannot remove then: other tests look for files that are left there."""
        end = time.monotonic() + self.seconds
        shared = set()
        while processes := self.processes():
            shared.update(*map(shared_files, processes))
            kill_at_once(processes)
            assert time.monotonic() < end, f"processes cannot be killed: {processes}"
            time.sleep(0.01)
        for file in shared:
            pathlib.Path(file).unlink(missing_ok=True)
        if words:
            self.record.append(f"killed: {shlex.join(words)}\n")

    def state(self):
        """Returns the names of all files in the folder, and the contents of regular files."""
        return {str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
                for path in self.folder.rglob("*")}

    def names(self, pattern="*"):
        """Returns the names of matching files in the folder, except for journals."""
        return sorted(path.name for path in self.folder.glob(pattern) if not path.name.startswith("kept"))

    def path(self, name):
        return self.folder / name

    def read(self, name):
        return (self.folder / name).read_bytes()

    def write(self, name, contents):
        (self.folder / name).write_bytes(contents.encode() if isinstance(contents, str) else contents)


class SmallDisk:
    """A file system of limited size in the folder `small` of a command, for runs with `prefix`. It disappears when its process,
    which holds its mount namespace, has ended."""

    def __init__(self, command, size_bytes):
        self.command = command
        (command.folder / "small").mkdir(exist_ok=True)
        as_root = () if os.geteuid() == 0 else ("--map-root-user",)
        script = f"mount -t tmpfs -o size={size_bytes} none small && echo mounted && cat"
        self.holder = subprocess.Popen(
            ["unshare", "--mount", *as_root, "sh", "-c", script], cwd=command.folder, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.is_mounted = self.holder.stdout.readline() == b"mounted\n"
        user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        self.prefix = ("nsenter", "--target", str(self.holder.pid), "--mount", *user, "--wd")

    def shell(self, script):
        return subprocess.run([*self.prefix, "sh", "-c", script], check=True, capture_output=True, text=True,
                              timeout=self.command.seconds).stdout

    def fill(self):
        """Fills the file system."""
        self.shell("head -c 100M /dev/zero >small/filler 2>/dev/null || true")

    def names(self):
        return self.shell("ls -A small").split()

    def remove(self):
        self.holder.communicate()
