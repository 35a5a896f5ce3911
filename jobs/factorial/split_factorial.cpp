#include "factorial/split_factorial.hpp"

#include <algorithm>
#include <cmath>
#include <compare>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>
#include <utility>

#include "factorial/decimal.hpp"
#include "factorial/long_product.hpp"
#include "factorial/shares.hpp"

namespace jobs {
namespace {

constexpr double smallest_share_bits = 200'000;  // smaller shares cost more in messages than they save in computation

// ---- the tasks -----------------------------------------------------------------------------------------------

mpz_class multiply(const mpz_class& a, const mpz_class& b) { return long_product(a, b); }

// Every report has residues, which are cheap: journaled results are then the same with and without --verify.
factorial_report report_whole(std::uint64_t n) { return report_on(n, factorial_share(n, 0, 1), exponent_in_factorial(n, 2)); }

factorial_report report_product(std::uint64_t n, const mpz_class& a, const mpz_class& b) {
  return report_on(n, long_product(a, b), exponent_in_factorial(n, 2));
}

// Share 0 includes the power of two: in base 10^18, multiplying by it is more than a shift.
digit_vector decimal_share(std::uint64_t n, std::uint32_t share, std::uint32_t shares) {
  const mpz_class value = factorial_share(n, share, shares);
  return to_decimal(share == 0 ? mpz_class(value << exponent_in_factorial(n, 2)) : value);
}

digit_vector multiply_decimals(const digit_vector& a, const digit_vector& b) { return multiply_digits<decimal_radix>(a, b); }

// ---- rank 0 --------------------------------------------------------------------------------------------------

/// Counts the steps for progress: a number in s shares takes s share tasks and s - 1 multiplications.
class step_progress {
 public:
  step_progress(const std::vector<std::uint32_t>& shares, const split_options& options) : report_(options.on_progress) {
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

/// Multiplies the shares of several products. The pairs depend only on positions, not on the order of completion, so a resumed run
/// submits the same tasks and finds their results in its journal.
template <class Value>
class product_queue {
 public:
  using multiply_task = Value (*)(const Value&, const Value&);
  /// Receives the index of a product and its remaining parts.
  using finish_product = std::function<void(std::size_t product, std::vector<Value> parts)>;

  /// Is called in a handler of the exception of a task, or of its submission, with the index of its product. It rethrows, or gives
  /// the product up.
  using lose_product = std::function<void(std::size_t product)>;

  product_queue(rankpool::executor& pool, multiply_task multiply, step_progress& steps, lose_product lose)
      : pool_(pool), multiply_(multiply), steps_(steps), lose_(std::move(lose)) {}

  void add(std::size_t product, std::vector<rankpool::future<Value>> shares) {
    widths_[product] = shares.size();
    for (std::size_t i = 0; i < shares.size(); ++i) submit({product, 0, i}, std::move(shares[i]));
  }

  /// Blocks: until every product consists of at most `most_left` parts. Passes these parts to `finish`.
  void run(std::size_t most_left, const finish_product& finish) {
    while (!running_.empty()) {
      auto [done, not_done] = rankpool::wait(std::exchange(running_, {}), rankpool::return_when::first_completed);
      running_ = std::move(not_done);
      for (auto& part : done) {
        const position where = position_of_.extract(part.id()).mapped();
        try {
          take(where, std::move(part).result(), most_left, finish);
        } catch (...) {
          lose_(where.product);
          continue;
        }
        steps_.step();
      }
    }
  }

 private:
  /// A node of a product's tree: its shares form level 0; the parts 2i and 2i + 1 of a level become part i of the next.
  struct position {
    std::size_t product;
    std::size_t level;
    std::size_t index;
    auto operator<=>(const position&) const = default;
  };

  void submit(const position& where, rankpool::future<Value> part) {
    position_of_.emplace(part.id(), where);
    running_.push_back(std::move(part));
  }

  void take(position where, Value part, std::size_t most_left, const finish_product& finish) {
    std::size_t width = (widths_.at(where.product) + (std::size_t{1} << where.level) - 1) >> where.level;
    while (width > most_left && where.index % 2 == 0 && where.index + 1 == width) {  // the last part has no sibling
      where = {where.product, where.level + 1, where.index / 2};
      width = (width + 1) / 2;
    }
    ready_.emplace(where, std::move(part));
    const std::size_t first = width > most_left ? where.index / 2 * 2 : 0;
    const std::size_t count = width > most_left ? 2 : width;
    std::vector<Value> parts = extract_if_all_ready({where.product, where.level, first}, count);
    if (parts.empty()) return;
    if (width <= most_left) return finish(where.product, std::move(parts));
    submit({where.product, where.level + 1, where.index / 2}, pool_.submit({.priority = 1}, multiply_, parts[0], parts[1]));
  }

  std::vector<Value> extract_if_all_ready(const position& first, std::size_t count) {
    const auto begin = ready_.find(first);
    auto end = begin;
    for (std::size_t i = 0; i < count; ++i, ++end) {
      if (end == ready_.end() || end->first != position{first.product, first.level, first.index + i}) return {};
    }
    std::vector<Value> parts;
    for (auto part = begin; part != end; ++part) parts.push_back(std::move(part->second));
    ready_.erase(begin, end);
    return parts;
  }

  rankpool::executor& pool_;
  multiply_task multiply_;
  step_progress& steps_;
  lose_product lose_;
  std::vector<rankpool::future<Value>> running_;
  std::unordered_map<std::uint64_t, position> position_of_;  // key: id of the future of a part
  std::unordered_map<std::size_t, std::size_t> widths_;      // key: index of a product; value: the number of its shares
  std::map<position, Value> ready_;
};

/// Returns the number of shares for each number.
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

/// Computes 1·2·…·n modulo the primes of verification.hpp, in tasks.
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

checked_results report_factorials(rankpool::executor& pool, const std::vector<std::uint64_t>& numbers,
                                  const split_options& options) {
  const std::vector<std::uint32_t> shares = shares_of(numbers, options.workers);
  std::vector<std::size_t> largest_first(numbers.size());
  std::iota(largest_first.begin(), largest_first.end(), std::size_t{0});
  std::ranges::sort(largest_first, [&](auto a, auto b) { return std::pair(numbers[a], b) > std::pair(numbers[b], a); });

  std::vector<rankpool::future<factorial_report>> reports(numbers.size());
  std::set<std::size_t> failed;
  step_progress steps(shares, options);
  const auto lose = [&](std::size_t i) {
    if (!options.on_failure) throw;
    const bool has_failed = options.on_failure(numbers[i]);
    if (has_failed) failed.insert(i);
    return has_failed;
  };
  product_queue<mpz_class> products(pool, multiply, steps, lose);
  for (const std::size_t i : largest_first) {
    if (shares[i] == 1) {
      reports[i] = pool.submit(report_whole, numbers[i]);
    } else {
      std::vector<rankpool::future<mpz_class>> parts;
      for (std::uint32_t share = 0; share < shares[i]; ++share) {
        parts.push_back(pool.submit(factorial_share, numbers[i], share, shares[i]));
      }
      products.add(i, std::move(parts));
    }
  }
  std::vector<expected_residues> expected;
  if (options.verify) {
    for (const std::uint64_t n : numbers) expected.emplace_back(pool, n);
  }
  const auto pass_on = [&](const factorial_report& report) {
    if (options.on_report) options.on_report(report);
  };
  try {
    products.run(2, [&](std::size_t i, const std::vector<mpz_class>& parts) {
      reports[i] = pool.submit({.priority = 1}, report_product, numbers[i], parts.at(0), parts.at(1));
    });
  } catch (...) {
    for (const auto& report : reports) {
      if (!report.valid() || !report.done() || report.cancelled() || report.exception() != nullptr) break;
      pass_on(report.result());
    }
    throw;
  }
  checked_results results{.noun = "factorial"};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!reports[i].valid()) continue;  // a part of it is lost
    factorial_report report;
    try {
      report = std::move(reports[i]).result();
    } catch (...) {
      lose(i);
      continue;
    }
    bool is_verified = false;
    if (options.verify) {
      try {
        verify(report, expected[i].value());
        is_verified = true;
      } catch (...) {
        if (lose(i)) continue;
      }
    }
    steps.step();
    pass_on(report);
    ++(is_verified ? results.verified : results.unchecked);
  }
  results.failed = failed.size();
  return results;
}

digit_vector factorial_digits(rankpool::executor& pool, std::uint64_t n, const split_options& options) {
  const std::vector<std::uint32_t> all_shares = shares_of({n}, options.workers);
  const std::uint32_t shares = all_shares.front();
  step_progress steps(all_shares, options);
  product_queue<digit_vector> products(pool, multiply_decimals, steps, [](std::size_t) { throw; });
  std::vector<rankpool::future<digit_vector>> tasks;
  for (std::uint32_t share = 0; share < shares; ++share) tasks.push_back(pool.submit(decimal_share, n, share, shares));
  products.add(0, std::move(tasks));
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
