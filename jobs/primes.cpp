// Exercise 3: counts or lists the primes of an interval. Workers sieve segments of it with primesieve.
//
// A sieve first computes the primes up to the square root of its largest number, so segments of large numbers are long. Workers
// return counts, or the primes of a segment as a prime_list.
#include <primesieve.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/check_queue.hpp"
#include "engine/job.hpp"
#include "primes/prime_list.hpp"
#include "support/interval.hpp"
#include "support/prime.hpp"

namespace jobs {
namespace {

using number = std::uint64_t;

number square_root(number n) { return static_cast<number>(std::sqrt(static_cast<double>(n))); }

number count_in_sieve(number first, number last) {
  primesieve::set_num_threads(1);  // each worker has one core
  return primesieve::count_primes(first, last);
}

/// Calls `visit(prime)` for each prime from `first` to `last`, in order.
template <class Visit>
void for_each_prime(number first, number last, Visit visit) {
  constexpr number largest = 18'446'744'073'709'551'557U;  // the largest prime below 2^64
  primesieve::iterator primes(first, last);
  for (number prime = primes.next_prime(); prime <= last; prime = primes.next_prime()) {
    visit(prime);
    if (prime == largest) break;
  }
}

/// The task: returns the number of primes of a segment, and of its last `stretch` numbers, which --verify counts again. The task
/// is the same with and without --verify, so that each can resume the other.
std::pair<number, number> count_primes(number stretch, number first, number last) {
  const number stretch_begin = last - std::min(stretch - 1, last - first);
  // If the segment is short compared with the square root, one sieve counts both. For a longer segment, a second sieve for the
  // stretch is cheaper than visiting all primes of the segment.
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

prime_list list_primes(number first, number last) {
  prime_list_builder list;
  for_each_prime(first, last, [&](number prime) { list.add(prime); });
  return list.take();
}

/// Returns a segment length that amortizes the set-up of a sieve, but keeps every worker busy until the end.
number length_to_count(const interval<number>& range, int workers) {
  const number worthwhile = std::max<number>(20'000'000, 40 * square_root(range.to));
  const number share = range.span() / (32 * static_cast<number>(workers)) + 1;
  return std::max(worthwhile, share);
}

/// Returns a segment length for listing: a worker holds all primes of a segment in memory.
number length_to_list(const interval<number>& range) { return std::clamp<number>(square_root(range.to), 4'000'000, 200'000'000); }

/// Counts primes with a primality test, independently of the sieve.
number count_by_test(number first, number last) {
  number found = is_prime(last) ? 1 : 0;
  for (number n = first; n < last; ++n) found += is_prime(n) ? 1 : 0;
  return found;
}

/// Checks that each listed number is a prime, and that none is missing. Throws: std::logic_error.
bool check_list(number first, number last, const prime_list& list) {
  number found = 0;
  number before = 0;
  for_each_listed(list, [&](number n) {
    if (n < first || n > last || n <= before || !is_prime(n))
      throw std::logic_error(std::to_string(n) + " is listed but is not a prime of the segment");
    before = n;
    ++found;
  });
  if (found != count_in_sieve(first, last))
    throw std::logic_error("a prime from " + std::to_string(first) + " to " + std::to_string(last) + " is missing");
  return true;
}

/// The number of primes up to 10^k for k = 1, 2, ...: OEIS A006880.
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

/// Selects the numbers that --verify counts again: the ends ("stretches") of some segments, evenly spread over the run.
class stretches {
 public:
  explicit stretches(number segments) : segments_(segments), count_(std::min<number>(segments, 64)) {}

  number count() const { return count_; }
  /// Returns the numbers per stretch. The total is about the same for any number of segments.
  number length() const { return 1'280'000 / count_; }
  /// Returns the segment whose end is the stretch `index`.
  number segment(number index) const { return index * (segments_ / count_) + index * (segments_ % count_) / count_; }

 private:
  number segments_;
  number count_;
};

class primes : public job {
  interval<number> range_{1, 100'000};
  bool count_ = false;
  bool list_ = false;

  void declare(job_options& options) override {
    const auto from = options.number("from", range_.from, "first number (default 1); one number alone is the last");
    const auto to = options.number("to", range_.to, "last number (default 100000), such as 1e18+1e11");
    options.after_parsing([this, from, to] {
      if (from.is_given() && !to.is_given()) range_.to = std::exchange(range_.from, std::min<number>(range_.from, 1));
    });
    options.check([this] { range_.check("from", "to"); });
    const auto count = options.flag("--count", count_, "print only how many there are");
    options.flag("--list", list_, "print them all, one per line, in order (as --output FILE does)")
        .excludes(count)
        .without_effect();
    options.identity("list", [this, &options] { return lists(options.settings()) ? job_options::only_name : ""; });
    options.output();
    options.chunksize("numbers in a segment (default: by the size of the numbers)");
    options.verify("count the ends of up to 64 segments again with a primality test, and compare with known counts");
  }

  bool lists(const run_settings& settings) const { return list_ || (!count_ && !settings.output.path.empty()); }

  void run(job_run& run) override {
    if (lists(run.settings())) {
      list_all(run);
    } else if (count_) {
      const number found = count_all(run);
      run.report().add("count", found);
      run.out().print(found, '\n');
    } else {
      summarise(run);
    }
  }

  number count_all(job_run& run) const {
    const number length = run.chunksize_or(length_to_count(range_, run.workers()));
    const auto segments = range_.segments(length);
    const stretches tested(segments.size());
    run.expect_tasks(segments.size(), tested.count());
    run.explain("primes: segments of " + std::to_string(length) +
                " numbers: each sieve first finds the primes up to their square root");
    std::vector<std::tuple<number, number>> places;
    std::vector<number> sieved;
    number total = 0, index = 0;
    const auto count_segment = rankpool::partial(count_primes, tested.length());
    for (const auto& [found, in_stretch] : run.pool().starmap({.chunksize = 1, .buffersize = 1 << 16}, count_segment, segments)) {
      total += found;
      if (places.size() < tested.count() && index == tested.segment(places.size())) {
        const auto [first, last] = segments[index];
        places.emplace_back(last - std::min(tested.length() - 1, last - first), last);
        sieved.push_back(in_stretch);
      }
      ++index;
    }
    if (run.verifies()) {
      verify_known_count(run, total);
      verify_stretches(run, places, sieved);
    }
    return total;
  }

  void verify_known_count(job_run& run, number found) const {
    number power = 1;
    for (const number known : known_counts) {
      power *= 10;
      if (range_.from <= 2 && range_.to == power)
        run.verified(found == known, "the count equals the known one, " + std::to_string(known) + ", for this power of ten");
    }
  }

  /// Compares a primality test with `sieved`, the sieve's number of primes in each stretch.
  static void verify_stretches(job_run& run, const std::vector<std::tuple<number, number>>& places,
                               const std::vector<number>& sieved) {
    number tested = 0;
    for (const auto& [first, last] : places) tested += last - first + 1;
    std::vector<number> found;
    for (const number count : run.pool().starmap({.chunksize = 1}, count_by_test, places)) found.push_back(count);
    run.verified(found == sieved, "a primality test finds as many primes as the sieve among " + std::to_string(tested) +
                                      " numbers, at the end of " + std::to_string(places.size()) +
                                      (places.size() == 1 ? " segment" : " segments"));
  }

  void list_all(job_run& run) const {
    const number length = run.chunksize_or(length_to_list(range_));
    const auto segments = range_.segments(length);
    run.expect_tasks(segments.size(), segments.size());
    const std::size_t list_bytes = length / 16;  // near 10^18, a prime is one of 41 numbers and takes a byte
    check_queue<bool> checks(
        run, [](bool) {}, list_bytes);
    auto segment = segments.begin();
    const int in_flight = std::min(run.tasks_in_flight(list_bytes), 2 * run.pool().num_workers());
    for (const prime_list& list : run.pool().starmap({.chunksize = 1, .buffersize = in_flight}, list_primes, segments)) {
      for_each_listed(list, [&](number prime) { run.out().print(prime, '\n'); });
      const auto [first, last] = *segment++;
      checks.add(check_list, first, last, list);
    }
    checks.finish("segment");
    if (run.verifies()) run.verified(true, "each listed number passes a primality test, and there are as many as the sieve counts");
  }

  /// Prints the number of primes, and the first and last ones, which rank 0 computes itself.
  void summarise(job_run& run) const {
    constexpr std::size_t shown = 5;
    const number found = count_all(run);
    output& out = run.out();
    run.report().add("count", found);
    out.print("Primes from ", range_.from, " to ", range_.to, ": ", found, '\n');
    if (found == 0) return;

    std::vector<number> first, last;
    primesieve::iterator sieve(range_.from, range_.to);
    while (first.size() < std::min<number>(shown, found)) first.push_back(sieve.next_prime());
    sieve.jump_to(range_.to);
    while (last.size() < std::min<number>(shown, found)) last.push_back(sieve.prev_prime());
    std::ranges::reverse(last);
    out.print("First: ");
    print_list(out, first);
    out.print("\nLast: ");
    print_list(out, last);
    out.print('\n');
  }
};

const job_entry<primes> primes_entry("primes", "the primes of an interval: how many, or all of them");

}  // namespace
}  // namespace jobs
