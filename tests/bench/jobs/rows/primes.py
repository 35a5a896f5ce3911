from row import Row


def check(folder):
    found = (folder / "stdout").read_text().strip()
    if found != "4118054813":
        raise RuntimeError(f"pi(10^11) is {found}, expected 4118054813")
    return "pi(10^11) = 4118054813"


ROWS = [Row(job="primes", size="1 to 10^11, counted", own=["primes", "1", "1e11", "--count"], peer_name="primesieve -t2",
            peer=["primesieve", "1e11", "-t2", "-q"], max_ratio=1.1, check=check, packages=("primesieve",))]
