// Example 4: tests numbers for primality, and prints answers in the order of the input. Numbers are read lazily in blocks of
// lines, so a file of any length needs little memory. Numbers may have any length.
#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/check_queue.hpp"
#include "engine/job.hpp"
#include "support/in_quotes.hpp"
#include "support/input.hpp"
#include "support/line_blocks.hpp"
#include "support/numbers.hpp"
#include "support/prime.hpp"

namespace jobs {
namespace {

const std::vector<std::uint64_t> tutorial_numbers{112272535095293, 112582705942171, 112272535095293, 115280095190773};

primality judge_text(std::string_view text, const primality_test& test) {
  std::uint64_t small = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), small);
  if (error == std::errc() && end == text.data() + text.size()) return judge(small);
  return judge(parse_integer(text), test);
}

/// Returns the text that follows the number in an answer.
std::string words_for(primality answer, int rounds) {
  switch (answer) {
    case primality::prime: return " prime\n";
    case primality::composite: return " composite\n";
    case primality::neither: return " neither prime nor composite\n";
    default: return " probably prime (error < 4^-" + std::to_string(rounds) + ")\n";
  }
}

/// The task: returns the answers for a block of numbers.
std::string judge_lines(const primality_test& test, bool verify, const line_block& block) {
  std::string answers;
  for_each_line(block, [&](std::string_view line, std::uint64_t number) {
    try {
      const primality answer = judge_text(line, test);
      if (verify && !confirms(parse_integer(line), answer))
        throw std::logic_error("another test disagrees about " + in_quotes(line));
      answers += line;
      answers += words_for(answer, test.rounds);
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument("line " + std::to_string(number) + ": " + error.what());
    }
  });
  return answers;
}

/// Returns whether another test confirms all answers of judge_lines(). Throws: std::logic_error if it contradicts one.
bool confirm_answers(const primality_test& test, const std::string& answers) {
  line_block numbers{1, {}};
  for (std::string_view rest = answers; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
    numbers.text.append(rest.substr(0, rest.find(' '))) += '\n';
  }
  return judge_lines(test, true, numbers) == answers;
}

constexpr double cost_of_block = 1e8;

bool is_expression(std::string_view line) { return line.find_first_of("e^+") != std::string_view::npos; }

/// Estimates the time for a prime of so many digits, in units of digits³. A proof takes about a hundred times as long as a test.
/// The cost of an expression such as 2^521-1 is unknown: it counts as a full block, or a tenth of one without a proof.
double cost_of_number(std::string_view line, bool is_proven) {
  constexpr std::size_t tested = 24;  // numbers of up to this many digits need no proof
  if (is_expression(line)) return is_proven ? cost_of_block : cost_of_block / 10;
  const auto digits = static_cast<double>(line.size());
  return digits * digits * digits * (is_proven && line.size() > tested && line.size() <= proven_digits ? 100 : 1);
}

double cost_of_test(std::string_view line) { return cost_of_number(line, false); }
double cost_of_proof(std::string_view line) { return cost_of_number(line, true); }
double cost_of_one(std::string_view) { return 1; }

constexpr const char* confirmed = "another test confirms every answer";

class is_prime_job : public job {
  std::vector<std::string> numbers_;  // empty, without --file: the tutorial's numbers
  std::string file_;
  primality_test test_;

  input_options input_file() const { return {file_, "--file"}; }

  void declare(job_options& options) override {
    options.texts("number", numbers_, "whole numbers of any size; - reads them from stdin, one per line", "NUMBERS");
    // A journal identifies a task by its numbers, so their source does not matter.
    options.text("--file", file_, "read the numbers from this file, one per line (-: stdin)", "FILE").without_effect();
    options.flag("--fast", test_.fast, "no proof for numbers above 3.3e24: the answer is \"probably prime\"");
    options.number("--rounds", test_.rounds,
                   "rounds of Miller-Rabin where there is no proof, with --fast and for numbers of more than " +
                       std::to_string(proven_digits) + " digits, each with an error below 1/4 (default 20)",
                   1, 10'000);
    options.output();
    options.max_failures();
    options.chunksize("numbers in a task, at most 64 KiB of a file (default: by the time they take)");
    options.verify("confirm every answer by another test, on the workers");
    options.after_parsing([this] {
      if (numbers_ != std::vector<std::string>{"-"}) return;
      numbers_.clear();
      file_ = "-";
    });
  }

  void check(const run_settings& settings) override {
    if (!file_.empty() && !numbers_.empty()) throw usage_error("--file and numbers as arguments exclude each other");
    if (!file_.empty()) input_file().check();
    for (const std::string& number : numbers_) parse_integer(number);
    if (!file_.empty()) check_distinct({input_file()}, {settings.output});
    settings.output.check();
  }

  void run(job_run& run) override {
    if (!file_.empty()) {
      print_answers_for_stream(run);
    } else if (!numbers_.empty()) {
      const std::vector<line_block> blocks = blocks_of_arguments(run.chunksize_or(std::size_t{1}));
      run.expect_tasks(blocks.size(), blocks.size());
      print_answers(run, blocks);
    } else {
      print_answers_for_tutorial(run);
    }
  }

  std::vector<line_block> blocks_of_arguments(std::size_t numbers_per_block) const {
    std::vector<line_block> blocks;
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      if (i % numbers_per_block == 0) {
        blocks.push_back({i + 1, numbers_[i]});
      } else {
        blocks.back().text += '\n' + numbers_[i];
      }
    }
    return blocks;
  }

  template <class Blocks>
  void print_answers(job_run& run, Blocks&& blocks) const {
    const auto judge_block = rankpool::partial(judge_lines, test_, false);
    constexpr std::size_t answer_bytes = 16 * line_blocks::most_bytes;  // an answer is at most 15 times as long as its line
    const auto take = [](bool same) {
      if (!same) throw std::logic_error("the answers differ when they are computed again");
    };
    check_queue<bool> checks(run, take, answer_bytes);
    const int in_flight = run.tasks_in_flight(answer_bytes);
    const auto print = [&](std::size_t, const std::string& answers) {
      run.out().print(answers);
      checks.add(confirm_answers, test_, answers);
    };
    const auto name = [](std::size_t i) { return "block " + std::to_string(i + 1) + " of the numbers"; };
    run.take_each(run.pool().map({.chunksize = 1, .buffersize = in_flight}, judge_block, blocks), print, name);
    const checked_results verified = checks.finish("block");
    if (run.verifies()) run.verified(true, confirmed, verified);
  }

  void print_answers_for_stream(job_run& run) const {
    const auto chunk = static_cast<double>(run.chunksize());
    const input lines(input_file());
    const std::string name = input_file().name();
    try {
      print_answers(run, chunk > 0
                             ? line_blocks(lines.descriptor(), name, cost_of_one, chunk)
                             : line_blocks(lines.descriptor(), name, test_.fast ? cost_of_test : cost_of_proof, cost_of_block));
    } catch (const std::invalid_argument& error) {
      run.out().flush();
      throw usage_error(name + ": " + error.what());
    }
  }

  static void print_answers_for_tutorial(job_run& run) {
    auto number = tutorial_numbers.begin();
    for (const bool answer : run.pool().map({.chunksize = run.chunksize()}, is_prime, tutorial_numbers)) {
      if (run.verifies() && !confirms(mpz_class(*number), answer ? primality::prime : primality::composite))
        throw std::logic_error("another test disagrees about " + std::to_string(*number));
      run.out().print(*number++, " is prime: ", answer ? "True" : "False", '\n');
    }
    if (run.verifies()) run.verified(true, confirmed);
  }
};

const job_entry<is_prime_job> is_prime_job_entry("is-prime", "which of many numbers are prime, in their order");

}  // namespace
}  // namespace jobs
