#include "factorial/split_factorial.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "factorial/decimal.hpp"
#include "factorial/long_product.hpp"
#include "factorial/shares.hpp"

namespace jobs {
namespace {

constexpr double smallest_share_bits = 200'000;  // below, messages cost more than they save

// ---- the tasks -----------------------------------------------------------------------------------------------

mpz_class multiply(const mpz_class& a, const mpz_class& b) { return long_product(a, b); }

factorial_report report_whole(std::uint64_t n, bool with_remainders) {
  return report_on(n, factorial_share(n, 0, 1), exponent_in_factorial(n, 2), with_remainders);
}

factorial_report report_product(std::uint64_t n, const mpz_class& a, const mpz_class& b, bool with_remainders) {
  return report_on(n, long_product(a, b), exponent_in_factorial(n, 2), with_remainders);
}

// The power of two goes with share 0: in base 10^18 it is no mere shift.
digit_vector decimal_share(std::uint64_t n, std::uint32_t share, std::uint32_t shares) {
  const mpz_class value = factorial_share(n, share, shares);
  return to_decimal(share == 0 ? mpz_class(value << exponent_in_factorial(n, 2)) : value);
}

digit_vector multiply_decimals(const digit_vector& a, const digit_vector& b) { return multiply_digits<decimal_radix>(a, b); }

// ---- rank 0 --------------------------------------------------------------------------------------------------

std::size_t size_of(const mpz_class& value) { return mpz_size(value.get_mpz_t()); }
std::size_t size_of(const digit_vector& value) { return value.size(); }

/// Counts steps: a number in s shares takes s of them and s - 1 products.
class progress {
 public:
  progress(const std::vector<std::uint32_t>& shares, const split_options& options) : report_(options.on_progress) {
    for (const std::uint32_t s : shares) all_ += 2 * s - 1;
  }
  void step() {
    ++done_;
    if (report_) report_(done_, all_);
  }

 private:
  const std::function<void(std::size_t, std::size_t)>& report_;
  std::size_t done_ = 0;
  std::size_t all_ = 0;
};

/// The parts of several products, all in one queue; two that are ready become one, smallest first.
template <class Value>
class product_queue {
 public:
  using multiply_task = Value (*)(const Value&, const Value&);

  product_queue(rankpool::executor& pool, multiply_task multiply, progress& steps)
      : pool_(pool), multiply_(multiply), steps_(steps) {}

  void add(std::size_t product, rankpool::future<Value> part) {
    product_of_.emplace(part.id(), product);
    ++state_[product].running;
    running_.push_back(std::move(part));
  }

  /// Calls last(product, parts) once no more than `most_left` parts of a product remain.
  void run(std::size_t most_left, const std::function<void(std::size_t, std::vector<Value>)>& last) {
    while (!running_.empty()) {
      auto [done, not_done] = rankpool::wait(std::exchange(running_, {}), rankpool::return_when::first_completed);
      running_ = std::move(not_done);
      for (auto& part : done) {
        const std::size_t product = product_of_.extract(part.id()).mapped();
        take(product, std::move(part).result(), most_left, last);
        steps_.step();
      }
    }
  }

 private:
  struct product_state {
    std::size_t running = 0;
    std::vector<Value> ready;
  };

  void take(std::size_t product, Value part, std::size_t most_left, const std::function<void(std::size_t, std::vector<Value>)>& last) {
    product_state& state = state_[product];
    state.ready.push_back(std::move(part));
    if (--state.running == 0 && state.ready.size() <= most_left) return last(product, std::exchange(state.ready, {}));
    if (state.ready.size() < 2) return;
    std::sort(state.ready.begin(), state.ready.end(), [](const Value& a, const Value& b) { return size_of(a) > size_of(b); });
    const Value a = std::move(state.ready.back());
    state.ready.pop_back();
    const Value b = std::move(state.ready.back());
    state.ready.pop_back();
    add(product, pool_.submit({.priority = 1}, multiply_, a, b));
  }

  rankpool::executor& pool_;
  multiply_task multiply_;
  progress& steps_;
  std::vector<rankpool::future<Value>> running_;
  std::unordered_map<std::uint64_t, std::size_t> product_of_;  // by id of a running part
  std::unordered_map<std::size_t, product_state> state_;
};

/// Into how many shares each number is split.
std::vector<std::uint32_t> shares_of(const std::vector<std::uint64_t>& numbers, int workers) {
  std::vector<double> bits;
  for (const std::uint64_t n : numbers) bits.push_back(factorial_size_bits(n));
  const double all = std::accumulate(bits.begin(), bits.end(), 0.0);
  std::vector<std::uint32_t> shares;
  for (const double b : bits) {
    const double by_work = std::round(b / std::max(all, 1.0) * workers);
    shares.push_back(static_cast<std::uint32_t>(std::max(1.0, std::min(by_work, std::floor(b / smallest_share_bits)))));
  }
  return shares;
}

/// 1·2·…·n modulo the primes of verification.hpp, in pieces.
class expected_residues {
 public:
  expected_residues(rankpool::executor& pool, std::uint64_t n) {
    constexpr std::uint64_t piece = 2'000'000;
    for (std::uint64_t first = 1; first <= n; first += piece) {
      pieces_.push_back(pool.submit(residues_of_range, first, std::min(n, first + piece - 1)));
    }
  }
  residues value() const {
    residues product{1, 1, 1};
    for (const auto& piece : pieces_) product = multiply_residues(product, piece.result());
    return product;
  }

 private:
  std::vector<rankpool::future<residues>> pieces_;
};

}  // namespace

void report_factorials(rankpool::executor& pool, const std::vector<std::uint64_t>& numbers, const split_options& options) {
  const std::vector<std::uint32_t> shares = shares_of(numbers, options.workers);
  std::vector<std::size_t> largest_first(numbers.size());
  std::iota(largest_first.begin(), largest_first.end(), std::size_t{0});
  std::ranges::sort(largest_first, [&](auto a, auto b) { return std::pair(numbers[a], b) > std::pair(numbers[b], a); });

  std::vector<rankpool::future<factorial_report>> reports(numbers.size());
  progress steps(shares, options);
  product_queue<mpz_class> products(pool, multiply, steps);
  for (const std::size_t i : largest_first) {
    if (shares[i] == 1) {
      reports[i] = pool.submit(report_whole, numbers[i], options.verify);
    } else {
      for (std::uint32_t share = 0; share < shares[i]; ++share) {
        products.add(i, pool.submit(factorial_share, numbers[i], share, shares[i]));
      }
    }
  }
  std::vector<expected_residues> expected;
  if (options.verify) {
    for (const std::uint64_t n : numbers) expected.emplace_back(pool, n);
  }
  products.run(2, [&](std::size_t i, const std::vector<mpz_class>& parts) {
    reports[i] = pool.submit({.priority = 1}, report_product, numbers[i], parts.at(0), parts.at(1), options.verify);
  });
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const factorial_report report = std::move(reports[i]).result();
    if (options.verify) verify(report, expected[i].value());
    steps.step();
    if (options.on_report) options.on_report(report);
  }
}

digit_vector factorial_digits(rankpool::executor& pool, std::uint64_t n, const split_options& options) {
  const std::vector<std::uint32_t> all_shares = shares_of({n}, options.workers);
  const std::uint32_t shares = all_shares.front();
  progress steps(all_shares, options);
  product_queue<digit_vector> products(pool, multiply_decimals, steps);
  for (std::uint32_t share = 0; share < shares; ++share) products.add(0, pool.submit(decimal_share, n, share, shares));
  std::vector<expected_residues> expected;
  if (options.verify) expected.emplace_back(pool, n);
  digit_vector digits;
  products.run(1, [&](std::size_t, std::vector<digit_vector> parts) { digits = std::move(parts.front()); });
  const factorial_report report = report_on(n, digits, options.verify);
  if (options.verify) verify(report, expected.front().value());
  if (options.on_report) options.on_report(report);
  return digits;
}

}  // namespace jobs
