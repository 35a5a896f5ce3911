from row import Row

LINES = 5_000


def prepare(folder):
    (folder / "lines").write_text("true\n" * LINES)


def check(folder):
    """Checks in the log that every line ran once and succeeded."""
    rows = [line.split("\t") for line in (folder / "log").read_text().splitlines()]
    column = {name: i for i, name in enumerate(rows[0])}
    if sorted(int(r[column["Seq"]]) for r in rows[1:]) != list(range(1, LINES + 1)):
        raise RuntimeError("not every line ran exactly once")
    if any(r[column["Exitval"]] != "0" or r[column["Command"]] != "true" for r in rows[1:]):
        raise RuntimeError("a line failed")
    return f"{LINES} commands in the log, each once, none failed"


ROWS = [Row(job="exec", size="5,000 lines of `true`", own=["exec", "lines", "--log", "log"], peer_name="parallel -j2",
            peer=["sh", "-c", "parallel --joblog peer-log -j2 < lines"], max_ratio=1 / 3, prepare=prepare, check=check, packages=("parallel",),
            fresh=("log", "peer-log"), note="both write a log")]
