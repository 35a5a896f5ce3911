"""The tutorial's programs with ProcessPoolExecutor and two processes: process_pool.py squares|cubes N, or is-prime NUMBER..."""
import sys
from concurrent.futures import ProcessPoolExecutor


def square(n):
    return n * n


def cube(n):
    return n * n * n


def is_prime(n):
    if n < 2:
        return False
    if n == 2:
        return True
    if n % 2 == 0:
        return False
    for i in range(3, int(n**0.5) + 1, 2):
        if n % i == 0:
            return False
    return True


def main():
    job = sys.argv[1]
    with ProcessPoolExecutor(2) as pool:
        if job == "is-prime":
            numbers = [int(text) for text in sys.argv[2:]]
            for n, prime in zip(numbers, pool.map(is_prime, numbers)):
                print(n, "prime" if prime else "composite")
            return
        numbers = range(1, int(sys.argv[2]) + 1)
        text, power = ("Square of {}: {}", square) if job == "squares" else ("Cube: {1}", cube)
        for n, value in zip(numbers, pool.map(power, numbers, chunksize=1024)):
            print(text.format(n, value))


if __name__ == "__main__":
    main()
