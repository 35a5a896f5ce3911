#!/usr/bin/env python3
"""check_trace.py TRACE: checks the trace of any run, and prints the number of its events and of the tasks of each function.
check_trace.py TRACE COMMAND...: runs the command, which must write the trace of traced_program, and checks the trace.

Each event must have the fields that the Trace Event Format requires of its phase. The slices of a track must not overlap. The trace must
have its end. The tasks of traced_program must be those of all slices.
"""
import collections
import gzip
import json
import pathlib
import subprocess
import sys

REQUIRED = {  # by phase: field and type
    "M": {"name": str, "pid": int, "tid": int, "args": dict},
    "X": {"name": str, "pid": int, "tid": int, "ts": (int, float), "dur": (int, float), "args": dict},
    "C": {"name": str, "pid": int, "ts": (int, float), "args": dict},
    "i": {"name": str, "pid": int, "tid": int, "ts": (int, float), "s": str},
}
TASKS = {"wait_briefly": 100, "square": 100_000}
FAILED_TASK, FAILED_ITEM = 51, 70_000  # the number of a submitted task, and the index of an item


def check(condition, text):
    if not condition:
        sys.exit(f"check_trace.py: {text}")


def read(file):
    content = file.read_bytes()
    check((content[:2] == b"\x1f\x8b") == (file.suffix == ".gz"), "a file is compressed if its name ends in .gz")
    return json.loads(gzip.decompress(content) if file.suffix == ".gz" else content)


def totals(events, name):
    """Returns the metadata events of `rankpool report` with this name."""
    return [event for event in events if event["ph"] == "M" and event["name"] == name]


def check_format(events):
    """Checks the events of any trace. Returns the number of tasks in the slices of each function."""
    tasks, times_of, named = collections.Counter(), collections.defaultdict(list), set()
    for event in events:
        check(event.get("ph") in REQUIRED, f"unknown phase: {event}")
        for field, kind in REQUIRED[event["ph"]].items():
            check(isinstance(event.get(field), kind), f"'{field}' is missing or of another type: {event}")
        if event["ph"] == "M" and event["name"] == "thread_name":
            named.add((event["pid"], event["tid"]))
        if event["ph"] == "C":
            check(all(isinstance(value, (int, float)) for value in event["args"].values()), f"a counter is no number: {event}")
        if event["ph"] == "X":
            check(event["ts"] >= 0 and event["dur"] >= 0, f"a negative time: {event}")
            times_of[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
            tasks[event["name"]] += event["args"].get("tasks", 0)
    for track, times in times_of.items():
        check(track in named, f"a track without a name: {track}")
        times.sort()
        for (_, end), (begin, _) in zip(times, times[1:]):
            check(begin >= end - 0.002, f"slices of track {track} overlap: one ends at {end}, the next begins at {begin}")
    check(any(event["name"] == "rankpool end" for event in events), "the trace has no end")
    return tasks


def check_tasks(events, tasks):
    """Checks that the tasks and failures are those of traced_program."""
    for name, expected in TASKS.items():
        counted = sum(number for text, number in tasks.items() if name in text)
        check(counted == expected, f"{counted} tasks of {name}, expected {expected}; all: {dict(tasks)}")
    slices = [event for event in events if event["ph"] == "X"]
    for where in (slices, totals(events, "rankpool function"), totals(events, "rankpool worker")):
        failed = sum(event["args"].get("failed", 0) for event in where)
        check(failed == 2, f"{failed} failed tasks, expected 2, in {where}")
    failures = {event["args"]["item"]: event["args"] for event in events if event["name"] == "failed"}
    check(set(failures) == {FAILED_TASK, FAILED_ITEM}, f"the failures are {failures}")
    check(all("no luck" in args["error"] for args in failures.values()), f"an error has another text: {failures}")
    functions = {event["args"]["function"]: event["args"] for event in totals(events, "rankpool function")}
    for name, args in functions.items():
        check(sum(number for _, number in args["times_us"]) == args["tasks"], f"the times of {name} are of another number of tasks")
    check(sum(args["tasks"] for args in functions.values()) == sum(TASKS.values()), f"the totals of functions are {functions}")


def main():
    file, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
    if not command:
        events = read(file)
        print(f"{len(events)} events;", ", ".join(f"{number} tasks of {name}" for name, number in check_format(events).items() if number))
        return
    file.unlink(missing_ok=True)
    subprocess.run(command, check=True, timeout=60)
    events = read(file)
    check_tasks(events, check_format(events))
    file.unlink()


if __name__ == "__main__":
    main()
