// Which number up to a limit takes the most steps to 1, when an even n goes to n/2 and an odd one to 3n+1.
#include <gmpxx.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "support/command.hpp"
#include "support/interval.hpp"
#include "support/output.hpp"

namespace jobs {
namespace {

struct options {
  interval<std::uint64_t> range{1, 1'000'000};
  output_options output;
};

using chain =
    std::pair<std::uint64_t, std::uint64_t>;  // steps, and how far its start lies below 2^64: the longer, then the smaller

/// 128 bits hold what any start below 10^17 climbs to.
chain chain_of(std::uint64_t start) {
  std::uint64_t steps = 0;
  for (unsigned __int128 n = start; n != 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return {steps, ~start};
}

chain longer(const chain& a, const chain& b) { return std::max(a, b); }

void verify(command_context& context, const interval<std::uint64_t>& range, std::uint64_t steps, std::uint64_t start) {
  std::uint64_t counted = 0;
  for (mpz_class n = start; n != 1; ++counted) n = mpz_even_p(n.get_mpz_t()) != 0 ? mpz_class(n / 2) : mpz_class(3 * n + 1);
  context.verified(counted == steps, "GMP counts as many steps from that start");
  constexpr std::array<std::uint64_t, 9> longest{9,       97,        871,        6'171,      77'031,
                                                 837'799, 8'400'511, 63'728'127, 670'617'279};  // OEIS A284668
  std::uint64_t power = 1;
  for (const std::uint64_t known : longest) {
    power *= 10;
    if (range.from == 1 && range.to == power)
      context.verified(start == known, "the longest chain up to this power of ten is known to begin there");
  }
}

int collatz(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  context.shown.expect(chosen.range.span() + 1);
  const auto [steps, complement] = pool.transform_reduce({.chunksize = context.chunksize}, chosen.range.numbers(),
                                                         chain_of(chosen.range.from), longer, chain_of);
  if (context.verify) verify(context, chosen.range, steps, ~complement);
  context.report.add("start", ~complement);
  context.report.add("steps", steps);
  output out(context, chosen.output);
  out.print("Longest chain from ", chosen.range.from, " to ", chosen.range.to, ": ", steps, " steps from ", ~complement, '\n');
  out.finish();
  return 0;
}

void add_collatz(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "collatz", "the number that takes the most steps to 1 by n/2 and 3n+1",
      [chosen](rankpool::cluster& cluster, command_context& c) { return collatz(cluster, c, *chosen); },
      [chosen] {
        chosen->range.check();
        chosen->output.check();
      });
  add_interval<std::uint64_t>(job, chosen->range, 1, 100'000'000'000'000'000);
  add_output(job, chosen->output);
  add_chunksize(job, context, "numbers in a chunk (default: by the time they take)");
  add_verify(job, context, "count the steps once more with GMP, and compare with what is known of 1 to a power of ten");
}

const job_entry entry("collatz", add_collatz);

}  // namespace
}  // namespace jobs
