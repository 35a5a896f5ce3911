// Example 10: lists of random numbers, each drawn and sorted by a worker. With INPUT: a file of numbers of any size, sorted into
// another.
//
// The random numbers follow from --seed alone, on every system: the lists are drawn with a generator whose output the standard
// fixes and without its distributions, which it leaves to the library.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <ranges>
#include <vector>

#include "sort/file_sort.hpp"
#include "support/command.hpp"
#include "support/mixed.hpp"
#include "support/numbers.hpp"
#include "support/output.hpp"
#include "support/size.hpp"

namespace jobs {
namespace {

struct options {
  std::int64_t lists = 4;
  std::uint64_t size = 1000;
  std::uint64_t seed = 0;
  bool seeded = false;
  file_sort_options file;  // an input: instead of lists

  bool sorts_file() const { return !file.input.empty(); }
};

using list = std::vector<std::int32_t>;

// The task: a list is drawn where it is sorted, and its begin comes back.
list begin_of_sorted_list(std::uint64_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  list numbers(size);
  for (auto& number : numbers) number = static_cast<std::int32_t>(1 + random() % 10'000);
  std::ranges::sort(numbers);
  return {numbers.begin(), numbers.begin() + std::min<std::ptrdiff_t>(std::ssize(numbers), 5)};
}

int sort_lists(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.file.output);
  const std::uint64_t seed = chosen.seeded ? chosen.seed : context.seed();
  context.report.add("seed", seed);
  const auto seeds = std::views::iota(std::int64_t{0}, chosen.lists) |
                     std::views::transform([seed](std::int64_t i) { return random_bits(seed, static_cast<std::uint64_t>(i)); });
  std::int64_t index = 0;
  const auto sorted_list = rankpool::partial(begin_of_sorted_list, chosen.size);
  const auto chunk = context.chunk_or(1LL);
  for (const list& begin : pool.map({.chunksize = chunk, .buffersize = 4 * chunk * pool.num_workers()}, sorted_list, seeds)) {
    out.print("Sorted list ", index++, " (first 5 elements): ");
    print_list(out, begin);
    out.print('\n');
  }
  out.finish();
  return 0;
}

void add_sort(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "sort", "a file of numbers of any size, sorted; or lists of random numbers, each sorted by a worker",
      [chosen](rankpool::cluster& cluster, command_context& c) {
        return chosen->sorts_file() ? sort_file(cluster, c, chosen->file) : sort_lists(cluster, c, *chosen);
      },
      [chosen] { chosen->sorts_file() ? chosen->file.check() : chosen->file.output.check(); });
  CLI::Option* input = add_input_file(job, "input", chosen->file.input, "a .npy file with one dimension, or a raw one with --type")
                           ->type_name("INPUT");
  CLI::Option* type =
      job.add_option("--type", chosen->file.type, "what a raw little-endian file holds: int64, float64, int32 or float32")
          ->type_name("TYPE")
          ->check(CLI::IsMember({"int64", "float64", "int32", "float32"}));
  CLI::Option* memory = add_size(job, "--memory", chosen->file.memory,
                                 "most bytes of numbers that a worker holds at once (default 1G)", 1 << 16, std::uint64_t{1} << 50);
  add_verify(job, context, "check that the output is in order and holds the numbers of the input");
  context.without_effect.insert(memory);
  for (CLI::Option* option : {type, memory, job.get_option("--verify")}) option->needs(input);

  const auto for_lists = [input](CLI::Option* option) { option->excludes(input); };
  for_lists(add_number<std::int64_t>(job, "--lists", chosen->lists, "number of lists (default 4)", 1, 1'000'000'000));
  for_lists(add_number<std::uint64_t>(job, "--size", chosen->size, "numbers in a list, which a worker holds (default 1000)", 1,
                                      1'000'000'000));
  for_lists(add_number<std::uint64_t>(job, "--seed", chosen->seed, "the same lists each time (default: others each time)")
                ->each([chosen](const std::string&) { chosen->seeded = true; })
                ->default_function([chosen] { return chosen->seeded ? std::to_string(chosen->seed) : std::string(); }));
  add_chunksize(job, context, "lists in a task (default 1); of a file, --memory decides about tasks");
  for_lists(job.get_option("--chunksize"));
  add_output(job, chosen->file.output);
}

const job_entry entry("sort", add_sort);

}  // namespace
}  // namespace jobs
