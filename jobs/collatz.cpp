// Finds the number up to a limit with the most steps to 1, where an even n becomes n/2 and an odd n becomes 3n+1.
#include <gmpxx.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "engine/job.hpp"
#include "support/interval.hpp"

namespace jobs {
namespace {

/// The number of steps, and 2^64-1 minus the start. The larger pair is the longer chain; of equal lengths, the smaller start.
using chain = std::pair<std::uint64_t, std::uint64_t>;

/// Returns the chain of `start`. For a start below 10^17, all numbers fit into 128 bits.
chain chain_of(std::uint64_t start) {
  std::uint64_t steps = 0;
  for (unsigned __int128 n = start; n != 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return {steps, ~start};
}

chain longer(const chain& a, const chain& b) { return std::max(a, b); }

class collatz : public job {
  interval<std::uint64_t> range_{1, 1'000'000};

  void declare(job_options& options) override {
    options.interval(range_, 1, 100'000'000'000'000'000);
    options.output();
    options.chunksize("numbers in a chunk (default: by the time they take)");
    options.verify("count the steps again with GMP; for 1 to a power of ten, compare with the known number");
  }

  void run(job_run& run) override {
    run.expect_tasks(range_.span() + 1);
    const auto [steps, complement] =
        run.pool().transform_reduce({.chunksize = run.chunksize()}, range_.numbers(), chain_of(range_.from), longer, chain_of);
    const std::uint64_t start = ~complement;
    if (run.verifies()) verify(run, steps, start);
    run.report().add("start", start);
    run.report().add("steps", steps);
    run.out().print("Longest chain from ", range_.from, " to ", range_.to, ": ", steps, " steps from ", start, '\n');
  }

  void verify(job_run& run, std::uint64_t steps, std::uint64_t start) const {
    std::uint64_t counted = 0;
    for (mpz_class n = start; n != 1; ++counted) n = mpz_even_p(n.get_mpz_t()) != 0 ? mpz_class(n / 2) : mpz_class(3 * n + 1);
    run.verified(counted == steps, "GMP counts the same number of steps");
    constexpr std::array<std::uint64_t, 9> known{9,       97,        871,        6'171,      77'031,
                                                 837'799, 8'400'511, 63'728'127, 670'617'279};  // OEIS A284668
    std::uint64_t power = 1;
    for (const std::uint64_t known_start : known) {
      power *= 10;
      if (range_.from == 1 && range_.to == power)
        run.verified(start == known_start, "the start is the known one for this power of ten");
    }
  }
};

const job_entry<collatz> collatz_entry("collatz", "the number that takes the most steps to 1 by n/2 and 3n+1");

}  // namespace
}  // namespace jobs
