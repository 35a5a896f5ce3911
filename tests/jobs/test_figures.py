"""Tests the results of --json that are specific to one job."""
import pytest

import jobs


def test_sum(command):
    """The sum has more digits than a double can store."""
    assert int(command.run("sum-cubes", "--to", "1e6", "--json").report["result"]["sum"]) == 250000500000250000000000


def test_failed_division(command):
    done = command.run("divide", "--strict", "--json", status=1)
    assert done.report["status"] == "failed" and done.report["error"]
    assert done.report["lines"][1] == "Error: Cannot divide by zero!"
    assert command.run("divide", "--json").report["status"] == "done"


@pytest.mark.parametrize("words, tasks", [("squares --from 1 --to 100 --chunksize 10", 10),
                                          ("is-prime 1 2 3 4 5 --chunksize 2", 3)])
def test_chunks(words, tasks, command):
    assert command.run(*words.split(), "--json").report["tasks"] == tasks


def test_lists_of_numbers(command):
    assert [int(n) for n in command.run("fibonacci", "--json").report["parameters"]["n"]] == [35, 40, 30]
    given = command.run("factorial", "2e1", "7", "--json").report["parameters"]["n"]
    assert [jobs.number_of(n) if "e" not in str(n) else 20 for n in given] == [20, 7]


def test_one_number_is_the_last(command):
    report = command.run("primes", "100", "--count", "--json").report
    assert (int(report["parameters"]["from"]), int(report["parameters"]["to"])) == (1, 100)
    assert report["result"] == {"count": 25}


def test_arguments_of_exec(command):
    report = command.run("exec", "--json", "echo", ":::", "a").report
    assert report["parameters"]["arguments"] == ["echo", ":::", "a"]


def test_drawn_seed(command):
    """The reported seed reproduces the lists."""
    report = command.run("sort", "--json").report
    assert report["parameters"]["seed"] is None
    assert command.run("sort", "--seed", report["result"]["seed"]).lines == report["lines"]


def test_factorials(command):
    first, second = command.run("factorials", "10", "0", "--json").report["result"]["factorials"]
    assert first == {"n": 10, "digits": 7, "first": "3628800", "last": "36288", "zeros": 2, "bits": 22}
    assert second["n"] == 0
    assert command.run("factorial", "10", "--json").report["result"]["factorials"][0]["digits"] == 7


@pytest.mark.parametrize("name", ["matmul", "matadd"])
def test_matrices(name, command):
    report = command.run(name, "--size", "9", "--type", "float32", "--output", "out.npy", "--verify", "--json").report
    assert report["result"] == {"output": "out.npy", "type": "float32", "rows": 9, "columns": 9} and report["verified"]


def test_sorted_file(command):
    command.write("in", jobs.noise(80_000))
    report = command.run("sort", "in", "--type", "int64", "--output", "out", "--verify", "--json").report
    assert report["result"] == {"output": "out", "type": "int64", "count": 10000} and "in order" in report["verified"]


def test_pictures(command):
    command.write('a "b".ppm', jobs.picture(20, 30))
    report = command.run("image", "--op", "box", "--radius", "1", 'a "b".ppm', "--output", "c.png", "--json", "--verify").report
    assert (report["result"]["pictures"], report["result"]["pixels"]) == (1, 600) and report["verified"]
    assert report["parameters"]["op"] == "box"
    command.path("in").mkdir()
    command.write("in/a.ppm", jobs.picture(20, 30))
    command.write("in/b.png", "\n")
    report = command.run("image", "--op", "sobel", "in", "--output", "out", "--json", "--verify", status=1).report
    assert (report["result"]["pictures"], report["result"]["failed"]) == (1, 1) and report["status"] == "failed"
    assert (report["verified_results"], report["failed_results"]) == (1, 1)
    assert report["verified"].startswith("1 of 2 pictures, 1 failed: ")


def test_commands(command):
    report = command.run("exec", "--json", ":::", "echo a", "printf '\\377\\n'", "false", status=1).report
    assert report["result"] == {"commands": 3, "failed": 1}
    assert report["lines"][0] == "a" and len(report["lines"]) == 2
