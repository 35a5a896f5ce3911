from row import Row

TUTORIAL = ["112272535095293", "112582705942171", "112272535095293", "115280095190773"]
TIMES = 250_000


def numbers(folder):
    (folder / "numbers").write_text("\n".join(TUTORIAL * TIMES) + "\n")


def all_prime(folder):
    lines = (folder / "stdout").read_text().splitlines()
    if len(lines) != len(TUTORIAL) * TIMES or not all(line.endswith(" prime") for line in lines):
        raise RuntimeError("not all lines say prime")
    return "all are prime"


LARGE = "10000000"
TEN = [str(n) for n in range(1_000_000, 10_000_001, 1_000_000)]

ROWS = [
    Row(job="is-prime", size="10^6 lines, the tutorial's numbers", own=["is-prime", "--file", "numbers"], prepare=numbers, check=all_prime,
        peer_name="trial division in Python, 4 numbers x 250,000", peer=["/usr/bin/python3", "SOURCES/process_pool.py", "is-prime", *TUTORIAL],
        peer_scale=TIMES, max_ratio=1 / 100, packages=("python3",)),
    Row(job="factorial", size="10^7!, summary", own=["factorial", LARGE], peer_name="mpz_fac_ui", peer=["PEERS/factorials", LARGE], max_ratio=0.65),
    Row(job="factorial", size="10^7!, all 65,657,060 digits", own=["factorial", LARGE, "--digits", "own", "--force"],
        peer_name="mpz_fac_ui and mpz_out_str", peer=["PEERS/factorials", "--digits", "peer", LARGE], max_ratio=0.65),
    Row(job="fibonacci", size="F(10^8), 20,898,764 digits", own=["fibonacci", "100000000"], peer_name="mpz_fib_ui and mpz_out_str",
        peer=["PEERS/fibonacci", "100000000"], max_ratio=1.1),
    Row(job="factorials", size="100,000 ... 1,000,000", own=["factorials"], peer_name="ten mpz_fac_ui",
        peer=["PEERS/factorials", *[str(n) for n in range(100_000, 1_000_001, 100_000)]], max_ratio=0.6, note="includes 0.4 s for the launch"),
    Row(job="factorials", size="10^6 ... 10^7", own=["factorials", *TEN], peer_name="ten mpz_fac_ui", peer=["PEERS/factorials", *TEN], max_ratio=0.6),
]
