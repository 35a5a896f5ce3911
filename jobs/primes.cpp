// Exercise 3: the primes of an interval, each worker sieving segments of it with primesieve.
//
// A sieve pays for the primes up to the square root of its numbers before it starts: segments are therefore long where the
// numbers are large. What comes back are counts, or the primes of a segment as text, in order.
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
#include <utility>
#include <vector>

#include "support/check_queue.hpp"
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

number square_root(number n) { return static_cast<number>(std::sqrt(static_cast<double>(n))); }

number count_in_sieve(number first, number last) {
  primesieve::set_num_threads(1);  // a worker is one core
  return primesieve::count_primes(first, last);
}

/// Calls `visit(prime)` for each prime from `first` to `last`, in order.
template <class Visit>
void for_each_prime(number first, number last, Visit visit) {
  constexpr number largest = 18'446'744'073'709'551'557U;  // below 2^64: nothing follows it
  primesieve::iterator primes(first, last);
  for (number prime = primes.next_prime(); prime <= last; prime = primes.next_prime()) {
    visit(prime);
    if (prime == largest) break;
  }
}

/// How many primes a segment has, and how many of them are among its last `stretch` numbers, which --verify counts again. The
/// task is the same with and without --verify, so that either can resume the other.
std::pair<number, number> count_primes(number stretch, number first, number last) {
  const number stretch_begin = last - std::min(stretch - 1, last - first);
  // Both counts by one sieve where finding its primes is most of the work. In a longer segment a second sieve for the stretch costs
  // less than to go through all primes of the segment.
  constexpr number roots_worth_a_sieve = 10;
  if ((last - first) / roots_worth_a_sieve >= square_root(last))
    return {count_in_sieve(first, last), count_in_sieve(stretch_begin, last)};
  number all = 0, in_stretch = 0;
  for_each_prime(first, last, [&](number prime) {
    ++all;
    in_stretch += prime >= stretch_begin ? 1 : 0;
  });
  return {all, in_stretch};
}

std::string list_primes(number first, number last) {
  text_builder lines;
  for_each_prime(first, last, [&](number prime) { lines.print(prime, '\n'); });
  return lines.take();
}

/// Long enough to be worth the set-up, and otherwise short enough to keep every worker busy to the end.
number length_to_count(const interval<number>& range, int workers) {
  const number worthwhile = std::max<number>(20'000'000, 40 * square_root(range.to));
  const number share = range.span() / (32 * static_cast<number>(workers)) + 1;
  return std::max(worthwhile, share);
}

/// As for counting, but a segment's text, about half a byte for each number, is held in memory.
number length_to_list(const interval<number>& range) { return std::clamp<number>(square_root(range.to), 4'000'000, 200'000'000); }

/// How many primes a test of primality finds.
number count_by_test(number first, number last) {
  number found = is_prime(last) ? 1 : 0;
  for (number n = first; n < last; ++n) found += is_prime(n) ? 1 : 0;
  return found;
}

/// Tests each number in `lines`, the text of a segment, for primality, and how many there are. Throws: std::logic_error.
bool check_list(number first, number last, const std::string& lines) {
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
  if (found != count_in_sieve(first, last))
    throw std::logic_error("a prime from " + std::to_string(first) + " to " + std::to_string(last) + " is missing");
  return true;
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

/// Which stretches of a run --verify counts again: the ends of some of the segments, spread over all of them.
class stretches {
 public:
  explicit stretches(number segments) : segments_(segments), count_(std::min<number>(segments, 64)) {}

  number count() const { return count_; }
  /// Numbers in a stretch: about as many in all, whatever the number of segments.
  number length() const { return 1'280'000 / count_; }
  /// The segment whose end is the stretch.
  number segment(number index) const { return index * (segments_ / count_) + index * (segments_ % count_) / count_; }

 private:
  number segments_;
  number count_;
};

void verify_known_count(command_context& context, const interval<number>& range, number found) {
  number power = 1;
  for (const number known : known_counts) {
    power *= 10;
    if (range.from <= 2 && range.to == power)
      context.verified(found == known, "pi of this power of ten is known to be " + std::to_string(known));
  }
}

/// `sieved`: how many primes each stretch has by the sieve.
void verify_stretches(rankpool::executor& pool, command_context& context, const std::vector<std::tuple<number, number>>& places,
                      const std::vector<number>& sieved) {
  number tested = 0;
  for (const auto& [first, last] : places) tested += last - first + 1;
  std::vector<number> found;
  for (const number count : pool.starmap({.chunksize = 1}, count_by_test, places)) found.push_back(count);
  context.verified(found == sieved, "a test of primality finds as many primes as the sieve among " + std::to_string(tested) +
                                        " numbers, at the end of " + std::to_string(places.size()) +
                                        (places.size() == 1 ? " segment" : " segments"));
}

number count_all(rankpool::executor& pool, command_context& context, const interval<number>& range) {
  const number length = context.chunk_or(length_to_count(range, context.divided_for(pool)));
  const auto segments = range.segments(length);
  const stretches tested(std::ranges::size(segments));
  context.shown.expect(std::ranges::size(segments) + (context.verify ? tested.count() : 0));
  context.explain("primes: segments of " + std::to_string(length) +
                  " numbers: each sieve first finds the primes up to their square root");
  std::vector<std::tuple<number, number>> places;
  std::vector<number> sieved;
  number total = 0, index = 0;
  const auto count_segment = rankpool::partial(count_primes, tested.length());
  for (const auto& [found, in_stretch] : pool.starmap({.chunksize = 1, .buffersize = 1 << 16}, count_segment, segments)) {
    total += found;
    if (places.size() < tested.count() && index == tested.segment(places.size())) {
      const auto [first, last] = segments[index];
      places.emplace_back(last - std::min(tested.length() - 1, last - first), last);
      sieved.push_back(in_stretch);
    }
    ++index;
  }
  if (context.verify) {
    verify_known_count(context, range, total);
    verify_stretches(pool, context, places, sieved);
  }
  return total;
}

void list_all(rankpool::executor& pool, command_context& context, const interval<number>& range, output& out) {
  const auto segments = range.segments(context.chunk_or(length_to_list(range)));
  context.shown.expect(std::ranges::size(segments) * (context.verify ? 2 : 1));
  const int few = 2 * pool.num_workers();
  check_queue<bool> checks(pool, [](bool) {});
  auto segment = segments.begin();
  for (const std::string& lines : pool.starmap({.chunksize = 1, .buffersize = few}, list_primes, segments)) {
    out.print(lines);
    const auto [first, last] = *segment++;
    if (context.verify) checks.add(check_list, first, last, lines);
  }
  if (context.verify) {
    checks.finish();
    context.verified(true, "each number listed passes a test of primality, and there are as many as the sieve counts");
  }
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
  CLI::Option* from = add_number<number>(job, "from", chosen->range.from, "first number (default 1); one number alone is the last");
  CLI::Option* to = add_number<number>(job, "to", chosen->range.to, "last number (default 100000), such as 1e18+1e11");
  job.parse_complete_callback([chosen, from, to] {
    if (from->count() == 0 || to->count() > 0) return;
    chosen->range.to = std::exchange(chosen->range.from, std::min<number>(chosen->range.from, 1));
    from->clear();  // --json and the journal have it as a default
  });
  CLI::Option* count = job.add_flag("--count", chosen->count, "print only how many there are");
  job.add_flag("--list", chosen->list, "print them all, one a line, in order (as --output FILE does)")->excludes(count);
  add_output(job, chosen->output);
  add_chunksize(job, context, "numbers in a segment (default: by the size of the numbers)");
  add_verify(job, context, "count the ends of up to 64 segments again, with a test of primality; and compare with known counts");
}

const job_entry entry("primes", add_primes);

}  // namespace
}  // namespace jobs
