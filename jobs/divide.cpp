// Example 3: a task that throws. result() rethrows the error; other tasks are not affected.
#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/job.hpp"
#include "support/decimal.hpp"
#include "support/in_quotes.hpp"
#include "support/input.hpp"
#include "support/line_blocks.hpp"
#include "support/result_queue.hpp"

namespace jobs {
namespace {

double divide(double a, double b) {
  if (b == 0) throw std::invalid_argument("Cannot divide by zero!");
  return a / b;
}

/// Parses `a/b`, or `a b` as in a table.
std::pair<double, double> parse_division(std::string_view text) {
  const std::size_t between = std::min(text.find_first_of("/ \t"), text.size());
  const std::size_t second = std::min(text.find_first_not_of("/ \t", between), text.size());
  try {
    return {parse_decimal(text.substr(0, between)), parse_decimal(text.substr(second))};
  } catch (const std::invalid_argument&) {
    throw std::invalid_argument(in_quotes(text) + " is not a division of two numbers (write it as 10/4)");
  }
}

/// Returns the divisions in one canonical notation of numbers. Words that are not divisions are unchanged.
std::vector<std::string> canonical_list(std::vector<std::string> divisions) {
  for (std::string& text : divisions) {
    try {
      const auto [a, b] = parse_division(text);
      text = decimal_text(a) + "/" + decimal_text(b);
    } catch (const std::invalid_argument&) {
    }
  }
  return divisions;
}

const input_options stdin_input{"-", "division"};

/// Submits divisions and prints their results in the order of submission.
class division_printer {
 public:
  explicit division_printer(job_run& run) : run_(run), pool_(run.pool()), out_(run.out()) {}

  /// Throws: pool_closed after --max-failures, once the results of all finished divisions are printed.
  void add(std::pair<double, double> operands) {
    try {
      outstanding_.add(pool_.submit(divide, operands.first, operands.second), ++added_);
    } catch (const rankpool::pool_closed&) {
      outstanding_.finish();
      throw;
    }
  }
  void print_rest() { outstanding_.finish(); }
  bool any_failed() const { return any_failed_; }

 private:
  void print(const rankpool::future<double>& division, std::uint64_t number) {
    double result = 0;
    try {
      result = division.result();
    } catch (const std::invalid_argument& error) {
      out_.print("Error: ", error.what(), '\n');
      any_failed_ = true;
      return run_.failures().count();
    } catch (...) {
      run_.take_failure("division " + std::to_string(number));
      return;
    }
    out_.print("Result: ", decimal_text(result), '\n');
  }

  static constexpr std::size_t most_outstanding = 1 << 17;
  job_run& run_;
  rankpool::executor& pool_;
  output& out_;
  std::uint64_t added_ = 0;
  result_queue<double, std::uint64_t> outstanding_{most_outstanding,
                                                   [this](auto&& division, std::uint64_t number) { print(division, number); }};
  bool any_failed_ = false;
};

void add_from_stdin(division_printer& printer) {
  const input from(stdin_input);
  line_blocks lines(
      from.descriptor(), stdin_input.name(), [](std::string_view line) { return double(line.size()); }, 1e6);
  for (const line_block& block : lines) {
    for_each_line(block, [&](std::string_view line, std::uint64_t number) {
      try {
        printer.add(parse_division(line));
      } catch (const std::invalid_argument& error) {
        throw usage_error("line " + std::to_string(number) + ": " + error.what());
      }
    });
  }
}

class divide_job : public job {
  std::vector<std::string> divisions_{"100/2", "100/0", "100/5"};
  bool strict_ = false;

  void declare(job_options& options) override {
    options.texts("division", divisions_, "such as 10/4; - reads lines of them from stdin (default 100/2 100/0 100/5)", "DIVISION")
        .identified_by([this] { return identity_of_list(canonical_list(divisions_)); });
    options.flag("--strict", strict_, "exit with status 1 if a division failed").without_effect();
    options.output();
    options.max_failures("start no more divisions after this many have failed; a division by zero counts (default: no limit)");
    options.footer("Each division is a task: there is no --chunksize.");
  }

  void check(const run_settings& settings) override {
    for (const std::string& text : divisions_) text == "-" ? stdin_input.check() : void(parse_division(text));
    if (std::ranges::find(divisions_, "-") != divisions_.end()) check_distinct({stdin_input}, {settings.output});
    settings.output.check();
  }

  void run(job_run& run) override {
    division_printer printer(run);
    if (std::ranges::find(divisions_, "-") == divisions_.end()) run.expect_tasks(divisions_.size());
    for (const std::string& text : divisions_) {
      if (text == "-") {
        add_from_stdin(printer);
      } else {
        printer.add(parse_division(text));
      }
    }
    printer.print_rest();
    if (printer.any_failed() && (strict_ || run.failures().is_reached())) run.set_exit_status(1);
  }
};

const job_entry<divide_job> divide_job_entry("divide", "quotients; a division by zero is reported in its place");

}  // namespace
}  // namespace jobs
