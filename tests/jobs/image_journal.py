#!/usr/bin/env python3
"""image_journal.py CASE COMMAND: tests the job `image` with --journal as a user runs it. COMMAND is the path of `rankpool`.

Prints the problem if the test fails. The exit status is 0 if the test passes, and 77 if this machine cannot run it.
"""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

case, command = sys.argv[1:3]
command = os.path.abspath(command)
folder = tempfile.mkdtemp(prefix="rankpool-test-")
os.chdir(folder)
mark = f"RANKPOOL_TEST_MARK={folder}"
environment = os.environ | {"RANKPOOL_WORKERS": os.environ.get("RANKPOOL_WORKERS", "2"), "RANKPOOL_TEST_MARK": folder}
most_seconds = 100


def picture(path, width=60, height=40, seed=1):
    """Writes an RGB picture of noise."""
    pixels = hashlib.shake_128(str(seed).encode()).digest(3 * width * height)
    pathlib.Path(path).write_bytes(b"P6\n%d %d\n255\n" % (width, height) + pixels)


def contents(path):
    return pathlib.Path(path).read_bytes()


def image(status, *arguments, starter=()):
    """Runs the job. Returns its stderr and the object that --json prints."""
    words = [*starter, command, "image", *arguments, "--journal", "kept", "--json", "--quiet"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=most_seconds)
    expect(done.returncode == status, f"status {done.returncode} of {arguments}, not {status}: {done.stderr}")
    return done.stderr, json.loads(done.stdout) if done.stdout.startswith("{") else {}


def expect(holds, problem):
    if not holds:
        raise AssertionError(problem)


def expect_files(path, names):
    expect(sorted(os.listdir(path)) == sorted(names), f"in {path}: {os.listdir(path)}")


def wait_until(condition, process):
    end = time.monotonic() + most_seconds
    while not condition():
        expect(process.poll() is None, f"the run ended early, with status {process.returncode}")
        expect(time.monotonic() < end, f"the condition is not met within {most_seconds} s")
        time.sleep(0.01)


def has_results():
    """Returns whether the journal has a finished task. A run may be writing to it."""
    if not os.path.exists("kept"):
        return False
    looked = subprocess.run([command, "journal", "kept", "--json"], capture_output=True, text=True)
    return looked.returncode == 0 and any(call["chunks"] > 0 for call in json.loads(looked.stdout)["calls"])


def signal_ranks(number):
    """Sends a signal to all ranks of the test's runs."""
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = path.read_bytes().split(b"\0")
            if mark.encode() in variables and any(variable.startswith(b"OMPI_COMM_WORLD_RANK=") for variable in variables):
                os.kill(int(path.parent.name), number)
        except OSError:  # the process has ended, or belongs to another user
            continue


def stop_at_results(running):
    """Stops the run early once its journal has results. The ranks are suspended during this check, so that the run cannot end before
    the signal."""
    signal_ranks(signal.SIGSTOP)
    try:
        found = has_results()
        if found:
            running.send_signal(signal.SIGTERM)
    finally:
        signal_ranks(signal.SIGCONT)
    time.sleep(0.05)
    return found


box = ("--op", "box", "--radius", "1")


def expected(input_path, *arguments):
    """Returns the result of a run without a journal."""
    subprocess.run([command, "image", input_path, "--output", "expected", *arguments], env=environment, check=True,
                   capture_output=True, timeout=most_seconds)
    return contents("expected")


def failed_picture():
    """A picture that failed is processed again once its input is repaired; other pictures are not."""
    os.mkdir("in")
    picture("in/1.ppm")
    picture("in/2.ppm", seed=2)
    whole = contents("in/2.ppm")
    pathlib.Path("in/2.ppm").write_bytes(whole[:100])
    stderr, _ = image(1, *box, "in", "--output", "out")
    expect("in/2.ppm: ends too early" in stderr, stderr)
    expect_files("out", ["1.ppm"])
    pathlib.Path("in/2.ppm").write_bytes(whole)
    _, report = image(0, *box, "in", "--output", "out")
    expect((report["tasks"], report["restored"]) == (1, 1), report)
    expect_files("out", ["1.ppm", "2.ppm"])


def failed_output():
    """A picture whose result did not fit on the disk is processed again once there is space."""
    os.mkdir("out")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60k", "none", "out"], capture_output=True).returncode != 0:
        sys.exit(77)
    try:
        picture("in.ppm", 300, 200)
        stderr, _ = image(1, *box, "in.ppm", "--output", "out/")
        expect("cannot write" in stderr and "No space left on device" in stderr, stderr)
        subprocess.run(["mount", "-o", "remount,size=10m", "out"], check=True)
        image(0, *box, "in.ppm", "--output", "out/")
        expect(contents("out/in.ppm") == expected("in.ppm", *box), "the result is wrong")
    finally:
        subprocess.run(["umount", "out"], check=True)


def lost_results():
    """A result that was removed or edited is not treated as finished."""
    os.mkdir("in")
    for n in (1, 2, 3):
        picture(f"in/{n}.ppm", seed=n)
    image(0, *box, "in", "--output", "out")
    first = {n: contents(f"out/{n}.ppm") for n in (1, 2, 3)}
    os.remove("out/1.ppm")
    _, report = image(0, *box, "in", "--output", "out")
    expect(report["tasks"] == 1, report)
    expect(contents("out/1.ppm") == first[1], "the removed result was not restored")
    pathlib.Path("out/2.ppm").write_bytes(b"precious")
    stderr, _ = image(1, *box, "in", "--output", "out")
    expect("out/2.ppm exists already; --force replaces it" in stderr, stderr)
    expect(contents("out/2.ppm") == b"precious", "an edited file was replaced")
    image(0, *box, "in", "--output", "out", "--force")
    expect({n: contents(f"out/{n}.ppm") for n in (1, 2, 3)} == first, "the results differ")
    _, report = image(0, *box, "in", "--output", "out")
    expect(report["tasks"] == 0, report)


def foreign_results():
    """A file that no run with the journal wrote is not replaced, even if it appears during the run."""
    os.mkdir("in")
    picture("in/1.ppm")
    image(0, *box, "in", "--output", "out")
    picture("in/0.ppm", seed=2)  # the first picture of the folder
    pathlib.Path("out/0.ppm").write_bytes(b"precious")
    stderr, _ = image(1, *box, "in", "--output", "out")
    expect("out/0.ppm exists already; --force replaces it" in stderr, stderr)
    expect(contents("out/0.ppm") == b"precious", "a foreign file was replaced")
    os.remove("out/0.ppm")
    image(0, *box, "in", "--output", "out")
    expect_files("out", ["0.ppm", "1.ppm"])


def foreign_split_result():
    """A file that no run with the journal wrote is not replaced by a split picture."""
    picture("in.ppm", 300, 200)
    split = (*box, "in.ppm", "--output", "out.png", "--split-from", "1", "--chunksize", "16")
    image(0, *split)
    result = contents("out.png")
    _, report = image(0, *split)
    expect(report["tasks"] == 0, report)
    pathlib.Path("out.png").write_bytes(b"precious")
    stderr, _ = image(1, *split)
    expect("out.png exists already; --force replaces it" in stderr, stderr)
    expect(contents("out.png") == b"precious", "a foreign file was replaced")
    os.remove("out.png")
    _, report = image(0, *split)
    expect(report["tasks"] == 0 and contents("out.png") == result, "the removed result was not restored from its strips")


def stopped_split(name):
    """A run that is stopped within a picture ends with status 75, and a later run restores its finished strips."""
    picture("in.ppm", 3000, 2000)
    blur = ("--op", "gaussian", "--sigma", "60")
    split = (*blur, "in.ppm", "--output", name, "--split-from", "1", "--chunksize", "16")
    words = [command, "image", *split, "--journal", "kept", "--quiet"]
    running = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: stop_at_results(running), running)
    _, stderr = running.communicate(timeout=most_seconds)
    expect(running.returncode == 75, f"status {running.returncode} of a stopped run: {stderr}")
    expect(not os.path.exists(name), "the unfinished result has its final name")
    _, report = image(0, *split)
    expect(report["restored"] > 0, report)
    division = ("--split-from", "1", "--chunksize", "16", "--format", "png" if name == "out.png" else "pnm")
    expect(contents(name) == expected("in.ppm", *blur, *division), "the result is wrong")
    expect(not [file for file in os.listdir() if ".part-" in file], f"unfinished files are left: {os.listdir()}")


def stopped_split_pnm():
    stopped_split("out.ppm")


def stopped_split_png():
    stopped_split("out.png")


def same_process_id():
    """Two runs with the same process ids, as in containers, do not disturb each other."""
    starter = ("unshare", "--pid", "--fork", "--mount-proc")
    if subprocess.run([*starter, "true"], capture_output=True).returncode != 0:
        sys.exit(77)
    picture("in.ppm", 300, 300)
    split = (*box, "in.ppm", "--output", "out.ppm", "--split-from", "1", "--chunksize", "16")
    for _ in range(2):
        image(0, *split, starter=starter)
        expect(contents("out.ppm") == expected("in.ppm", *box, "--force"), "the result is wrong")
        os.remove("expected")
        os.remove("out.ppm")


def other_workers():
    """The first run decides for all runs whether large pictures are split."""
    os.mkdir("in")
    for n in range(5):
        picture(f"in/{n}.ppm", seed=n)
    for workers in ("0", "2", "1"):
        environment["RANKPOOL_WORKERS"] = workers
        _, report = image(0, *box, "in", "--output", "out", "--split-from", "1")
        expect(workers == "0" or report["tasks"] == 0, report)


def other_inputs():
    """Adding, replacing or removing large pictures does not affect other pictures."""
    os.mkdir("in")
    many = (*box, "in", "--output", "out", "--split-from", "1")
    environment["RANKPOOL_WORKERS"] = "0"
    for n in (0, 1):
        picture(f"in/{n}.ppm", seed=n)
    image(0, *many)
    for n in (2, 3, 4):  # enough pictures to process each one as a whole
        picture(f"in/{n}.ppm", seed=n)
    image(0, *many)
    expect_files("out", [f"{n}.ppm" for n in range(5)])
    for n in (3, 4):
        os.remove(f"in/{n}.ppm")
    image(0, *many)
    shutil.copytree("in", "copy", copy_function=shutil.copy2)
    shutil.rmtree("in")
    os.rename("copy", "in")
    _, report = image(0, *many)  # the same picture, by its size and modification time
    expect(report["tasks"] == 0, report)
    picture("in/0.ppm", seed=10)
    picture("in/1.ppm", seed=11)
    image(0, *many)
    for n in (0, 1, 2):
        expect(contents(f"out/{n}.ppm") == expected(f"in/{n}.ppm", *box, "--force"), f"result {n} is wrong")
    os.rename("in/0.ppm", "second")
    picture("in/0.ppm", seed=0)
    image(0, *many)
    os.rename("second", "in/0.ppm")  # restores the previous version
    image(0, *many)
    expect(contents("out/0.ppm") == expected("in/0.ppm", *box, "--force"), "the result is that of another input")


def linked_output():
    """A result is written to the target of a symbolic link."""
    for name in ("in", "out", "elsewhere"):
        os.mkdir(name)
    picture("in/1.ppm")
    os.symlink("../elsewhere/x.ppm", "out/1.ppm")
    for tasks in (1, 0):
        _, report = image(0, *box, "in", "--output", "out")
        expect(report["tasks"] == tasks, report)
    expect(os.path.islink("out/1.ppm") and os.path.isfile("elsewhere/x.ppm"), "the link was replaced")


def fifo():
    """A FIFO is written directly, and a later run restores the strips from the journal."""
    picture("in.ppm")
    os.mkfifo("pipe")
    for run in range(2):
        reader = subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE)
        try:
            _, report = image(0, *box, "in.ppm", "--output", "pipe")
            written, _ = reader.communicate(timeout=most_seconds)
        finally:
            reader.kill()
        expect(written == expected("in.ppm", *box, "--format", "pnm", "--force"), "the FIFO received a wrong result")
        expect(report["restored"] > 0 if run else report["restored"] == 0, report)


def many_lost_results():
    """All lost results are computed again."""
    os.mkdir("in")
    for n in range(1000):
        picture(f"in/{n}.ppm", 4, 4, n)
    image(0, *box, "in", "--output", "out")
    shutil.rmtree("out")
    _, report = image(0, *box, "in", "--output", "out")
    expect(report["result"]["pictures"] == 1000 and len(os.listdir("out")) == 1000, report)


def journal_among_inputs():
    """The journal and unfinished files are not treated as pictures."""
    picture("1.ppm")
    for name in ("2.ppm.part-123.1", "3.ppm.part-9f0a12", "4.ppm.part-9f0a12.part-77"):
        shutil.copy("1.ppm", name)
    for _ in range(2):
        _, report = image(0, *box, ".", "--output", "out")
        expect(report["result"]["pictures"] == 1, report)


def killed():
    """Killed runs lose no picture and leave no unfinished file."""
    os.mkdir("in")
    for n in range(40):
        picture(f"in/{n}.ppm", 600, 450, n)
    blur = ("--op", "gaussian", "--sigma", "30")
    words = [command, "image", *blur, "in", "--output", "out", "--journal", "kept", "--quiet"]
    for condition in (has_results, lambda: len([f for f in os.listdir("out") if ".part-" not in f]) > 10):
        running = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        processes = []

        def is_due():  # lists the processes first, because `ps` takes time in which the run would go on
            listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,sess="], capture_output=True, text=True).stdout.splitlines()
            processes[:] = [line.split() for line in reversed(listed)]  # ranks first: a stopped one whose parent dies is continued
            return os.path.isdir("out") and condition()

        wait_until(is_due, running)
        parents = {pid: parent for pid, parent, _ in processes}
        leader = str(running.pid)
        for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped first, so that no process reacts to the death of another
            for pid, _, session in processes:
                if leader in (session, parents.get(session)):
                    try:
                        os.kill(int(pid), number)
                    except ProcessLookupError:
                        pass
        running.wait(most_seconds)
    _, report = image(0, *blur, "in", "--output", "out")
    expect(report["restored"] > 0 and report["tasks"] > 0, report)
    expect_files("out", [f"{n}.ppm" for n in range(40)])
    expect(contents("out/7.ppm") == expected("in/7.ppm", *blur), "a result is wrong")


try:
    {name.replace("_", "-"): function for name, function in list(globals().items()) if callable(function)}[case]()
except AssertionError as problem:
    sys.exit(f"image_journal.py {case}: {problem}")
finally:
    shutil.rmtree(folder, ignore_errors=True)
