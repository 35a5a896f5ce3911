from row import Row

N = 20_000_000_000


def checks(value):
    def check(folder):
        found = (folder / "stdout").read_text().split()[-1]
        if int(found) != value:
            raise RuntimeError(f"the sum is {found}, expected {value}")
        return "closed form"
    return check


ROWS = [
    Row(job="sum-squares", size="up to 2 x 10^10", own=["sum-squares", "--to", str(N)], peer_name="a loop on one core",
        peer=["PEERS/sum_powers", "2", str(N)], max_ratio=1 / 1.8, check=checks(N * (N + 1) * (2 * N + 1) // 6)),
    Row(job="sum-cubes", size="up to 2 x 10^10", own=["sum-cubes", "--to", str(N)], peer_name="a loop on one core",
        peer=["PEERS/sum_powers", "3", str(N)], max_ratio=1 / 1.8, check=checks((N * (N + 1) // 2) ** 2)),
]
