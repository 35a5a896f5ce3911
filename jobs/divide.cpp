// Example 3: a task that throws. The error comes back in place of the result, and the other tasks are none the worse.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/command.hpp"
#include "support/decimal.hpp"
#include "support/in_quotes.hpp"
#include "support/input.hpp"
#include "support/line_blocks.hpp"
#include "support/output.hpp"
#include "support/result_queue.hpp"

namespace jobs {
namespace {

struct options {
  std::vector<std::string> divisions{"100/2", "100/0", "100/5"};
  bool strict = false;
  output_options output;
};

double divide(double a, double b) {
  if (b == 0) throw std::invalid_argument("Cannot divide by zero!");
  return a / b;
}

/// Reads `a/b`, or `a b` as in a table.
std::pair<double, double> parse_division(std::string_view text) {
  const std::size_t between = std::min(text.find_first_of("/ \t"), text.size());
  const std::size_t second = std::min(text.find_first_not_of("/ \t", between), text.size());
  try {
    return {parse_decimal(text.substr(0, between)), parse_decimal(text.substr(second))};
  } catch (const std::invalid_argument&) {
    throw std::invalid_argument(in_quotes(text) + " is not a division of two numbers (write it as 10/4)");
  }
}

/// The divisions in a form that does not depend on how their numbers are written, but for those that cannot be read.
std::string canonical_list(std::vector<std::string> divisions) {
  for (std::string& text : divisions) {
    try {
      const auto [a, b] = parse_division(text);
      text = decimal_text(a) + "/" + decimal_text(b);
    } catch (const std::invalid_argument&) {
    }
  }
  return CLI::detail::to_string(divisions);
}

const input_options stdin_input{"-", "division"};

/// Submits divisions and prints their results in the order of submission.
class division_printer {
 public:
  division_printer(rankpool::executor& pool, output& out) : pool_(pool), out_(out) {}

  void add(std::pair<double, double> operands) { outstanding_.add(pool_.submit(divide, operands.first, operands.second)); }
  void print_rest() { outstanding_.finish(); }
  bool any_failed() const { return any_failed_; }

 private:
  void print(const rankpool::future<double>& division) {
    try {
      out_.print("Result: ", decimal_text(division.result()), '\n');
    } catch (const std::invalid_argument& error) {
      out_.print("Error: ", error.what(), '\n');
      any_failed_ = true;
    }
  }

  static constexpr std::size_t most_outstanding = 1 << 17;
  rankpool::executor& pool_;
  output& out_;
  result_queue<double> outstanding_{most_outstanding, [this](auto&& division, const auto&) { print(division); }};
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

int print_divisions(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  division_printer printer(pool, out);
  for (const std::string& text : chosen.divisions) {
    if (text == "-") {
      add_from_stdin(printer);
    } else {
      printer.add(parse_division(text));
    }
  }
  printer.print_rest();
  out.finish();
  return chosen.strict && printer.any_failed() ? 1 : 0;
}

void check(const options& chosen) {
  for (const std::string& text : chosen.divisions) {
    try {
      text == "-" ? stdin_input.check() : void(parse_division(text));
    } catch (const std::invalid_argument& error) {
      throw usage_error(error.what());
    }
  }
  if (std::ranges::find(chosen.divisions, "-") != chosen.divisions.end()) check_distinct({stdin_input}, {chosen.output});
  chosen.output.check();
}

void add_divide(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "divide", "quotients, with the divisions by zero reported in place",
      [chosen](rankpool::cluster& cluster, command_context& c) { return print_divisions(cluster, c, *chosen); },
      [chosen] { check(*chosen); });
  job.add_option("division", chosen->divisions, "such as 10/4; - reads lines of them (default 100/2 100/0 100/5)")
      ->default_function([chosen] { return canonical_list(chosen->divisions); });
  context.without_effect.insert(job.add_flag("--strict", chosen->strict, "exit with status 1 if a division failed"));
  add_output(job, chosen->output);
  job.footer("Each division is submitted on its own: there is no --chunksize.");
}

const job_entry entry("divide", add_divide);

}  // namespace
}  // namespace jobs
