// Example 4: which of many numbers are prime, in their order. The numbers stream through in blocks of lines, so that a
// file of any length needs little memory, and a number may have any length itself.
#include <charconv>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

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
  int rounds = 20;
  output_options output;
};

const std::vector<std::uint64_t> tutorial_numbers{112272535095293, 112582705942171, 112272535095293, 115280095190773};

primality judge_text(std::string_view text, int rounds) {
  std::uint64_t small = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), small);
  if (error == std::errc() && end == text.data() + text.size()) {
    return is_prime(small) ? primality::prime : primality::composite;
  }
  return judge(parse_integer(text), rounds);
}

/// A block of numbers in, a block of answers out.
std::string judge_lines(int rounds, bool verify, const line_block& block) {
  const std::string probably_prime = " probably prime (error < 4^-" + std::to_string(rounds) + ")\n";
  std::string answers;
  for_each_line(block, [&](std::string_view line, std::uint64_t number) {
    try {
      const primality answer = judge_text(line, rounds);
      if (verify && !confirms(parse_integer(line), answer))
        throw std::logic_error("another test disagrees about " + in_quotes(line));
      answers += line;
      answers += answer == primality::prime ? " prime\n" : answer == primality::composite ? " composite\n" : probably_prime;
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument("line " + std::to_string(number) + ": " + error.what());
    }
  });
  return answers;
}

/// About the time for a prime of so many digits, in the cube of digits; an expression such as 2^521-1 may be anything.
double cost_of_number(std::string_view line) {
  const auto digits = static_cast<double>(line.size());
  const bool plain = line.find_first_of("e^+") == std::string_view::npos;
  return plain ? digits * digits * digits : 1e7;
}

template <class Blocks>
void print_answers(rankpool::executor& pool, output& out, Blocks&& blocks, int rounds, bool verify) {
  const auto judge_block = rankpool::partial(judge_lines, rounds, verify);
  for (const std::string& answers : pool.map({.chunksize = 1, .buffersize = 16 * pool.num_workers()}, judge_block, blocks)) {
    out.print(answers);
  }
}

input_options input_of(const options& chosen) { return {chosen.file, "--file"}; }

double cost_of_one(std::string_view) { return 1; }

void print_answers_for_stream(rankpool::executor& pool, const command_context& context, output& out, const input_options& from,
                              int rounds) {
  constexpr double cost_of_block = 1e8;
  const auto chunk = static_cast<double>(context.chunksize);
  const input lines(from);
  try {
    print_answers(pool, out,
                  chunk > 0 ? line_blocks(lines.descriptor(), from.name(), cost_of_one, chunk)
                            : line_blocks(lines.descriptor(), from.name(), cost_of_number, cost_of_block),
                  rounds, context.verify);
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
    print_answers_for_stream(pool, context, out, input_of(chosen), chosen.rounds);
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
    print_answers(pool, out, blocks, chosen.rounds, context.verify);
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
  chosen.output.check();
}

void add_is_prime(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "is-prime", "which of many numbers are prime, in their order",
      [chosen](rankpool::cluster& cluster, command_context& c) { return print_primality(cluster, c, *chosen); },
      [chosen] { check(*chosen); });
  job.add_option("number", chosen->numbers, "whole numbers of any size; - reads them from stdin, one a line")->type_name("NUMBERS");
  job.add_option("--file", chosen->file, "read the numbers from this file, one a line (-: stdin)")->type_name("FILE");
  add_number(job, "--rounds", chosen->rounds,
             "rounds of Miller-Rabin for numbers above 3.3e24, each with an error below 1/4 (default 20)", 1, 10'000);
  add_output(job, chosen->output);
  add_chunksize(job, context, "numbers in a task, at most 64 KiB of a file (default: by the time they take)");
  add_verify(job, context, "confirm every answer by another test, on the workers");
}

const job_entry entry("is-prime", add_is_prime);

}  // namespace
}  // namespace jobs
