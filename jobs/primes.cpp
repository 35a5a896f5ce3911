// Exercise 3: the primes of an interval, each worker sieving segments of it with primesieve.
//
// A sieve pays for the primes up to the square root of its numbers before it starts: segments are therefore long where the
// numbers are large. What comes back is a count, or the primes of a segment as text, in order.
#include <primesieve.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "support/command.hpp"
#include "support/interval.hpp"
#include "support/output.hpp"
#include "support/prime.hpp"
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

/// Whether the sieve and a test of primality find as many primes there.
bool agree(number first, number last) {
  number found = 0;
  for (number n = first; n <= last && n >= first; ++n) found += is_prime(n) ? 1 : 0;
  return found == count_primes(first, last);
}

/// The text of a segment, each of its numbers put to a test of primality. Throws: std::logic_error.
std::string checked_list(number first, number last) {
  std::string lines = list_primes(first, last);
  number found = 0;
  number before = 0;
  const char* at = lines.data();
  for (const char* const end = at + lines.size(); at != end; ++at, ++found) {
    number n = 0;
    at = std::from_chars(at, end, n).ptr;
    if (n < first || n > last || n <= before || !is_prime(n))
      throw std::logic_error(std::to_string(n) + " is listed and should not be");
    before = n;
  }
  if (found != count_primes(first, last))
    throw std::logic_error("a prime from " + std::to_string(first) + " to " + std::to_string(last) + " is missing");
  return lines;
}

/// Pi(10^k), k from 1: OEIS A006880.
constexpr std::array<number, 19> known_counts{4,
                                              25,
                                              168,
                                              1'229,
                                              9'592,
                                              78'498,
                                              664'579,
                                              5'761'455,
                                              50'847'534,
                                              455'052'511,
                                              4'118'054'813,
                                              37'607'912'018,
                                              346'065'536'839,
                                              3'204'941'750'802,
                                              29'844'570'422'669,
                                              279'238'341'033'925,
                                              2'623'557'157'654'233,
                                              24'739'954'287'740'860,
                                              234'057'667'276'344'607};

void verify_count(rankpool::executor& pool, command_context& context, const interval<number>& range, number found) {
  number power = 1;
  for (const number known : known_counts) {
    power *= 10;
    if (range.from <= 2 && range.to == power)
      context.verified(found == known, "pi of this power of ten is known to be " + std::to_string(known));
  }
  constexpr number stretches = 64;
  constexpr number length = 20'000;
  const auto stretch = [&](number i) {
    const number begin = range.from + range.span() / stretches * i;
    return std::tuple(begin, begin + std::min(length, range.to - begin));
  };
  const auto places = std::views::iota(number{0}, stretches) | std::views::transform(stretch);
  bool all = true;
  for (const bool same : pool.starmap(agree, places)) all = all && same;
  context.verified(all, "a test of primality finds as many primes as the sieve in 64 stretches of 20,000 numbers");
}

number count_all(rankpool::executor& pool, command_context& context, const interval<number>& range) {
  const number length = context.chunk_or(length_to_count(range, context.divided_for(pool)));
  const auto segments = range.segments(length);
  context.shown.expect(std::ranges::size(segments));
  context.explain("primes: segments of " + std::to_string(length) +
                  " numbers: each sieve first finds the primes up to their square root");
  number total = 0;
  for (const number found : pool.starmap({.chunksize = 1, .buffersize = 1 << 16}, count_primes, segments)) total += found;
  if (context.verify) verify_count(pool, context, range, total);
  return total;
}

void list_all(rankpool::executor& pool, command_context& context, const interval<number>& range, output& out) {
  const auto segments = range.segments(context.chunk_or(length_to_list(range)));
  context.shown.expect(std::ranges::size(segments));
  const auto list = context.verify ? checked_list : list_primes;
  const int few = 2 * pool.num_workers();
  for (const std::string& lines : pool.starmap({.chunksize = 1, .buffersize = few}, list, segments)) out.print(lines);
  if (context.verify)
    context.verified(true, "each number listed passes a test of primality, and there are as many as the sieve counts");
}

/// How many there are and which ones come first and last: for these a handful of numbers at each end is enough.
void summarise(rankpool::executor& pool, command_context& context, const interval<number>& range, output& out) {
  constexpr std::size_t shown = 5;
  const number found = count_all(pool, context, range);
  context.report.add("count", found);
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
    list_all(pool, context, chosen.range, out);
  } else if (chosen.count) {
    const number found = count_all(pool, context, chosen.range);
    context.report.add("count", found);
    out.print(found, '\n');
  } else {
    summarise(pool, context, chosen.range, out);
  }
  out.finish();
  return 0;
}

void add_primes(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "primes", "the primes of an interval: how many, or all of them",
      [chosen](rankpool::cluster& cluster, command_context& c) { return primes(cluster, c, *chosen); },
      [chosen] {
        chosen->range.check("from", "to");
        chosen->output.check();
      });
  add_number<number>(job, "from", chosen->range.from, "first number (default 1)");
  add_number<number>(job, "to", chosen->range.to, "last number (default 100000), such as 1e18+1e11");
  CLI::Option* count = job.add_flag("--count", chosen->count, "print only how many there are");
  job.add_flag("--list", chosen->list, "print them all, one a line, in order (as --output FILE does)")->excludes(count);
  add_output(job, chosen->output);
  add_chunksize(job, context, "numbers in a segment (default: by the size of the numbers)");
  add_verify(job, context, "recount short stretches with a test of primality, on the workers; and compare with known counts");
}

const job_entry entry("primes", add_primes);

}  // namespace
}  // namespace jobs
