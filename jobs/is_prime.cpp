// Example 4: which of many numbers are prime, in their order. The numbers stream through in blocks of lines, so that a
// file of any length needs little memory, and a number may have any length itself.
#include <charconv>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/check_queue.hpp"
#include "support/command.hpp"
#include "support/in_quotes.hpp"
#include "support/input.hpp"
#include "support/line_blocks.hpp"
#include "support/numbers.hpp"
#include "support/output.hpp"
#include "support/prime.hpp"

namespace jobs {
namespace {

struct options {
  std::vector<std::string> numbers;  // none, and no file: the tutorial's
  std::string file;
  primality_test test;
  output_options output;
};

const std::vector<std::uint64_t> tutorial_numbers{112272535095293, 112582705942171, 112272535095293, 115280095190773};

primality judge_text(std::string_view text, const primality_test& test) {
  std::uint64_t small = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), small);
  if (error == std::errc() && end == text.data() + text.size()) return judge(small);
  return judge(parse_integer(text), test);
}

/// How a line goes on after the number.
std::string words_for(primality answer, int rounds) {
  switch (answer) {
    case primality::prime: return " prime\n";
    case primality::composite: return " composite\n";
    case primality::neither: return " neither prime nor composite\n";
    default: return " probably prime (error < 4^-" + std::to_string(rounds) + ")\n";
  }
}

/// A block of numbers in, a block of answers out.
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

/// Whether another test confirms every answer in lines that judge_lines() has written. Throws: std::logic_error if it does not.
bool confirm_answers(const primality_test& test, const std::string& answers) {
  line_block numbers{1, {}};
  for (std::string_view rest = answers; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
    numbers.text.append(rest.substr(0, rest.find(' '))) += '\n';
  }
  return judge_lines(test, true, numbers) == answers;
}

constexpr double cost_of_block = 1e8;

bool is_expression(std::string_view line) { return line.find_first_of("e^+") != std::string_view::npos; }

/// About the time for a prime of so many digits, in the cube of digits; an expression such as 2^521-1 may be anything.
double cost_of_test(std::string_view line) {
  const auto digits = static_cast<double>(line.size());
  return is_expression(line) ? cost_of_block / 10 : digits * digits * digits;
}

/// A proof takes about a hundred times as long as a test.
double cost_of_proof(std::string_view line) {
  constexpr std::size_t tested = 24;  // numbers of so many digits need no proof
  if (is_expression(line)) return cost_of_block;
  return (line.size() > tested && line.size() <= proven_digits ? 100 : 1) * cost_of_test(line);
}

template <class Blocks>
void print_answers(rankpool::executor& pool, output& out, Blocks&& blocks, const primality_test& test, bool verify) {
  const auto judge_block = rankpool::partial(judge_lines, test, false);
  check_queue<bool> checks(pool, [](bool same) {
    if (!same) throw std::logic_error("the answers differ when they are computed again");
  });
  for (const std::string& answers : pool.map({.chunksize = 1, .buffersize = 16 * pool.num_workers()}, judge_block, blocks)) {
    out.print(answers);
    if (verify) checks.add(confirm_answers, test, answers);
  }
  checks.finish();
}

input_options input_of(const options& chosen) { return {chosen.file, "--file"}; }

double cost_of_one(std::string_view) { return 1; }

void print_answers_for_stream(rankpool::executor& pool, const command_context& context, output& out, const input_options& from,
                              const primality_test& test) {
  const auto chunk = static_cast<double>(context.chunksize);
  const input lines(from);
  try {
    print_answers(pool, out,
                  chunk > 0 ? line_blocks(lines.descriptor(), from.name(), cost_of_one, chunk)
                            : line_blocks(lines.descriptor(), from.name(), test.fast ? cost_of_test : cost_of_proof, cost_of_block),
                  test, context.verify);
  } catch (const std::invalid_argument& error) {
    out.flush();
    throw usage_error(from.name() + ": " + error.what());
  }
}

void print_answers_for_tutorial(rankpool::executor& pool, const command_context& context, output& out) {
  auto number = tutorial_numbers.begin();
  for (const bool answer : pool.map({.chunksize = context.chunksize}, is_prime, tutorial_numbers)) {
    if (context.verify && !confirms(mpz_class(*number), answer ? primality::prime : primality::composite))
      throw std::logic_error("another test disagrees about " + std::to_string(*number));
    out.print(*number++, " is prime: ", answer ? "True" : "False", '\n');
  }
}

int print_primality(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  if (!chosen.file.empty()) {
    print_answers_for_stream(pool, context, out, input_of(chosen), chosen.test);
  } else if (!chosen.numbers.empty()) {
    std::vector<line_block> blocks;
    const auto chunk = context.chunk_or(std::size_t{1});
    for (std::size_t i = 0; i < chosen.numbers.size(); ++i) {
      if (i % chunk == 0) {
        blocks.push_back({i + 1, chosen.numbers[i]});
      } else {
        blocks.back().text += '\n' + chosen.numbers[i];
      }
    }
    print_answers(pool, out, blocks, chosen.test, context.verify);
  } else {
    print_answers_for_tutorial(pool, context, out);
  }
  if (context.verify) context.verified(true, "another test confirms every answer");
  out.finish();
  return 0;
}

void check(options& chosen) {
  if (chosen.numbers.size() == 1 && chosen.numbers.front() == "-") {
    chosen.numbers.clear();
    chosen.file = "-";
  }
  if (!chosen.file.empty() && !chosen.numbers.empty()) throw usage_error("--file takes the place of numbers; give one of the two");
  if (!chosen.file.empty()) input_of(chosen).check();
  for (const std::string& number : chosen.numbers) {
    try {
      parse_integer(number);
    } catch (const std::invalid_argument& error) {
      throw usage_error(error.what());
    }
  }
  if (!chosen.file.empty()) check_distinct({input_of(chosen)}, {chosen.output});
  chosen.output.check();
}

void add_is_prime(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "is-prime", "which of many numbers are prime, in their order",
      [chosen](rankpool::cluster& cluster, command_context& c) { return print_primality(cluster, c, *chosen); },
      [chosen] { check(*chosen); });
  job.add_option("number", chosen->numbers, "whole numbers of any size; - reads them from stdin, one a line")->type_name("NUMBERS");
  context.without_effect.insert(  // its content is what counts, and each task is told apart by it
      job.add_option("--file", chosen->file, "read the numbers from this file, one a line (-: stdin)")->type_name("FILE"));
  job.add_flag("--fast", chosen->test.fast, "no proof for numbers above 3.3e24: the answer is \"probably prime\"");
  add_number(job, "--rounds", chosen->test.rounds,
             "rounds of Miller-Rabin where there is no proof, with --fast and for numbers of more than " +
                 std::to_string(proven_digits) + " digits, each with an error below 1/4 (default 20)",
             1, 10'000);
  add_output(job, chosen->output);
  add_chunksize(job, context, "numbers in a task, at most 64 KiB of a file (default: by the time they take)");
  add_verify(job, context, "confirm every answer by another test, on the workers");
}

const job_entry entry("is-prime", add_is_prime);

}  // namespace
}  // namespace jobs
