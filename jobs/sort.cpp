// Example 10: lists of random numbers, each sorted by a worker.
//
// The numbers follow from --seed alone, on every system: the lists are drawn with a generator whose output the standard
// fixes and without its distributions, which it leaves to the library.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <ranges>
#include <vector>

#include "support/command.hpp"
#include "support/numbers.hpp"
#include "support/output.hpp"

namespace jobs {
namespace {

struct options {
  std::int64_t lists = 4;
  std::uint64_t size = 1000;
  std::uint64_t seed = 0;
  bool seeded = false;
  output_options output;
};

using list = std::vector<std::int32_t>;

list random_list(std::uint64_t size, std::mt19937_64& random) {
  list numbers(size);
  for (auto& number : numbers) number = static_cast<std::int32_t>(1 + random() % 10'000);
  return numbers;
}

list sort_list(list numbers) {
  std::ranges::sort(numbers);
  return numbers;
}

int sort_lists(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  std::mt19937_64 random(chosen.seeded ? chosen.seed : std::random_device{}());
  const auto draw = [&](std::int64_t) { return random_list(chosen.size, random); };
  const auto lists = std::views::iota(std::int64_t{0}, chosen.lists) | std::views::transform(draw);
  std::int64_t index = 0;
  for (const list& sorted : pool.map({.chunksize = 1, .buffersize = 4 * pool.num_workers()}, sort_list, lists)) {
    out.print("Sorted list ", index++, " (first 5 elements): ");
    print_list(out, sorted | std::views::take(5));
    out.print('\n');
  }
  out.finish();
  return 0;
}

void add_sort(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "sort", "lists of random numbers, each sorted by a worker",
      [chosen](rankpool::cluster& cluster, command_context& c) { return sort_lists(cluster, c, *chosen); },
      [chosen] { chosen->output.check(); });
  add_number<std::int64_t>(job, "--lists", chosen->lists, "number of lists (default 4)", 1, 1'000'000'000);
  add_number<std::uint64_t>(job, "--size", chosen->size, "numbers in a list (default 1000)", 1, 1'000'000'000);
  add_number<std::uint64_t>(job, "--seed", chosen->seed, "the same lists each time (default: others each time)")
      ->each([chosen](const std::string&) { chosen->seeded = true; });
  add_output(job, chosen->output);
}

const job_entry entry("sort", add_sort);

}  // namespace
}  // namespace jobs
