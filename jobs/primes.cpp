// Exercise 3: the primes of an interval, each worker sieving segments of it with primesieve.
//
// A sieve pays for the primes up to the square root of its numbers before it starts: segments are therefore long where the
// numbers are large. What comes back is a count, or the primes of a segment as text, in order.
#include <primesieve.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "jobs.hpp"
#include "support/interval.hpp"
#include "support/output.hpp"
#include "support/text.hpp"

namespace jobs {
namespace {

using number = std::uint64_t;

struct options {
  interval<number> range{1, 100'000};
  bool count = false;
  bool list = false;
  output_options output;
};

number count_primes(number first, number last) {
  primesieve::set_num_threads(1);  // a worker is one core
  return primesieve::count_primes(first, last);
}

std::string list_primes(number first, number last) {
  constexpr number largest = 18'446'744'073'709'551'557U;  // below 2^64: nothing follows it
  text_builder lines;
  primesieve::iterator primes(first, last);
  for (number prime = primes.next_prime(); prime <= last; prime = primes.next_prime()) {
    lines.print(prime, '\n');
    if (prime == largest) break;
  }
  return lines.take();
}

number square_root(number n) { return static_cast<number>(std::sqrt(static_cast<double>(n))); }

/// Long enough to be worth the set-up, and otherwise short enough to keep every worker busy to the end.
number length_to_count(const interval<number>& range, int workers) {
  const number worthwhile = std::max<number>(20'000'000, 40 * square_root(range.to));
  const number share = range.span() / (32 * static_cast<number>(workers)) + 1;
  return std::max(worthwhile, share);
}

/// As for counting, but a segment's text, about half a byte for each number, is held in memory.
number length_to_list(const interval<number>& range) { return std::clamp<number>(square_root(range.to), 4'000'000, 200'000'000); }

number count_all(rankpool::executor& pool, const interval<number>& range) {
  const auto segments = range.segments(length_to_count(range, pool.num_workers()));
  number total = 0;
  for (const number found : pool.starmap({.chunksize = 1, .buffersize = 1 << 16}, count_primes, segments)) total += found;
  return total;
}

void list_all(rankpool::executor& pool, const interval<number>& range, output& out) {
  const auto segments = range.segments(length_to_list(range));
  const int few = 2 * pool.num_workers();
  for (const std::string& lines : pool.starmap({.chunksize = 1, .buffersize = few}, list_primes, segments)) out.print(lines);
}

/// How many there are and which ones come first and last: for these a handful of numbers at each end is enough.
void summarise(rankpool::executor& pool, const interval<number>& range, output& out) {
  constexpr std::size_t shown = 5;
  const number found = count_all(pool, range);
  out.print("Primes from ", range.from, " to ", range.to, ": ", found, '\n');
  if (found == 0) return;

  std::vector<number> first, last;
  primesieve::iterator primes(range.from, range.to);
  while (first.size() < std::min<number>(shown, found)) first.push_back(primes.next_prime());
  primes.jump_to(range.to);
  while (last.size() < std::min<number>(shown, found)) last.push_back(primes.prev_prime());
  std::ranges::reverse(last);
  out.print("First: ");
  print_list(out, first);
  out.print("\nLast: ");
  print_list(out, last);
  out.print('\n');
}

int primes(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  if (chosen.list || (!chosen.count && !chosen.output.path.empty())) {
    list_all(pool, chosen.range, out);
  } else if (chosen.count) {
    out.print(count_all(pool, chosen.range), '\n');
  } else {
    summarise(pool, chosen.range, out);
  }
  out.finish();
  return 0;
}

}  // namespace

void add_primes(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "primes", "the primes of an interval: how many, or all of them",
      [chosen](rankpool::cluster& cluster, command_context& c) { return primes(cluster, c, *chosen); },
      [chosen] {
        if (chosen->range.to < chosen->range.from) throw usage_error("to takes a number that is not less than from");
        chosen->output.check();
      });
  add_number<number>(job, "from", chosen->range.from, "first number (default 1)");
  add_number<number>(job, "to", chosen->range.to, "last number (default 100000), such as 1e18+1e11");
  CLI::Option* count = job.add_flag("--count", chosen->count, "print only how many there are");
  job.add_flag("--list", chosen->list, "print them all, one a line, in order (as --output FILE does)")->excludes(count);
  add_output(job, chosen->output);
}

}  // namespace jobs
