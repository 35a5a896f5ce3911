"""Failed tasks and --max-failures, in jobs of each kind. The job image is tested in test_image.py, exec in test_exec.py."""
import re

import pytest

both = pytest.mark.modes("inline", "ranks")

# F(10^9) and a primality test of 2^216091-1 take many times longer than a second.
KILLED = ("--isolate", "--task-timeout", "1s", "--quiet")


def test_divisions(command):
    done = command.run("divide", "1/0", "1/1", "2/0", "3/1", "4/0", "--max-failures", "2", "--quiet", status=1)
    # Divisions that a worker already had may have run.
    assert done.lines[:3] == ["Error: Cannot divide by zero!", "Result: 1.0", "Error: Cannot divide by zero!"]
    assert re.fullmatch(r"rankpool divide: stopped early because 2 tasks failed \(--max-failures 2\); \d tasks? did not run\n",
                        done.stderr)


def test_failures_below_the_limit(command):
    """A division by zero does not fail the run before the limit, unless --strict is given."""
    assert command.run("divide", "1/0", "1/1", "--max-failures", "2", "--quiet").stderr == ""
    assert command.run("divide", "1/0", "1/1", "--max-failures", "1", status=1).lines[0] == "Error: Cannot divide by zero!"
    assert command.run("divide", "1/0", "1/1", "--max-failures", "2", "--strict", "--quiet", status=1).stderr == ""


@both
def test_independent_results(command):
    """The results of the other tasks are printed, and the failed ones are named."""
    done = command.run("is-prime", "97", "2^216091-1", "98", "--max-failures", "2", "--verify", *KILLED, status=1)
    assert done.lines == ["97 prime", "98 composite"]
    assert len(done.messages) == 1 and done.stderr.startswith("rankpool is-prime: block 2 of the numbers failed: ")
    done = command.run("factorials", "20", "1e8", "30", "--max-failures", "9", *KILLED, status=1)
    assert [line.split()[0] for line in done.lines] == ["20!:", "30!:"]
    assert all(line.startswith("rankpool factorials: 100000000! failed: ") for line in done.messages)


@both
@pytest.mark.parametrize("words, noun", [("is-prime 97 2^216091-1 98", "blocks"), ("fibonacci 20 1e9 30", "numbers"),
                                         ("factorial 20 1e8 30", "factorials"), ("factorials 20 1e8 30", "factorials")])
def test_verified_results(words, noun, command):
    """Only results that exist are reported as verified."""
    done = command.run(*words.split(), "--max-failures", "9", "--verify", "--json", *KILLED[:-1], status=1)
    assert (done.report["verified_results"], done.report["failed_results"]) == (2, 1)
    assert done.report["verified"].startswith(f"2 of 3 {noun}, 1 failed: ")
    assert done.messages[-1] == f"rankpool: verified: {done.report['verified']}"


def test_nothing_verified(command):
    done = command.run("factorials", "1e8", "--max-failures", "9", "--verify", "--json", *KILLED[:-1], status=1)
    assert (done.report["verified_results"], done.report["failed_results"]) == (0, 1) and "verified" not in done.report
    assert done.messages[-1] == "rankpool: verified: 0 of 1 factorial, 1 failed"


@pytest.mark.modes("ranks")
def test_finished_factorials(command):
    """Finished factorials are printed, although the failure of a larger one ends the run. Here the journal has them."""
    words = ("factorials", "20", "1e8", "30", "--journal", "kept", *KILLED)
    command.run(*words, "--max-failures", "9", status=1, workers=3)
    done = command.run(*words, "--workers", "1", "--max-failures", "1", status=1)  # the last of three shares of 1e8! does not run
    assert [line.split()[0] for line in done.lines] == ["20!:", "30!:"]
    assert "100000000! failed" in done.messages[0]
    assert re.search(r"stopped early because [12] tasks? failed \(--max-failures 1\); ", done.messages[-1])
    done = command.run(*words, status=1)
    assert [line.split()[0] for line in done.lines] == ["20!:"] and "timeout_error" in done.stderr


def test_limit(command):
    """The second failure ends the run. With the journal, the next run starts with the finished tasks."""
    numbers = [30, "1e9", 31, "1e9", *[32] * 500]  # many, because the process of the tasks may have received some of the last
    words = ("fibonacci", *numbers, "--journal", "kept", "--max-failures")
    done = command.run(*words, "2", *KILLED, status=1)
    assert done.lines[:2] == ["Fibonacci result: 832040", "Fibonacci result: 1346269"]
    assert [line.split(" failed: ")[0] for line in done.messages[:2]] == ["rankpool fibonacci: F(1000000000)"] * 2
    assert done.messages[2:] == [f"rankpool fibonacci: stopped early because 2 tasks failed (--max-failures 2); {502 - len(done.lines)} "
                                 "tasks did not run; the same run with its journal runs these and the failed ones"]
    again = command.run(*words, "3", "--json", *KILLED, status=1)
    assert again.report["restored"] == len(done.lines) and len(again.report["lines"]) == 502
    assert again.report["status"] == "failed"


@both
def test_without_limit(command):
    """Without the option, the first failure ends the run."""
    done = command.run("is-prime", "2^216091-1", "97", *KILLED, status=1)
    assert len(done.messages) == 1 and "timeout_error" in done.stderr and done.stdout == ""


def test_one_result(command):
    """A failed task ends the run, whatever the limit, if the result depends on all of them."""
    done = command.run("factorial", "1e8", "--digits", "out", "--max-failures", "9", *KILLED, status=1)
    assert len(done.messages) == 2 and "timeout_error" in done.messages[1]
    assert done.messages[0].startswith("rankpool factorial: stopped early because 1 task failed; ")
    assert command.names() == []


def test_bad_input(command):
    """Input that a task refuses is a usage error, not a failure to be counted."""
    command.write("numbers", "97\nninety-eight\n")
    command.fail("is-prime", "--file", "numbers", "--max-failures", "9", names=("line 2", "ninety-eight"))


def test_output_file(command):
    """The limit removes the unfinished file; a file with the results of all but the failed tasks is complete."""
    words = ("is-prime", "2^216091-1", *["97"] * 500, *KILLED, "--output", "out", "--max-failures")
    assert "stopped early" in command.run(*words, "1", status=1).stderr
    assert command.names() == []
    command.run(*words, "2", status=1)
    assert command.read("out") == b"97 prime\n" * 500
