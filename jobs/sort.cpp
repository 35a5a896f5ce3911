// Example 10: workers generate and sort lists of random numbers. With INPUT, workers sort a file of numbers of any size into
// another file.
//
// The random numbers depend only on --seed, on every system: the C++ standard fixes the output of std::mt19937_64, but not that of
// its distributions, so none is used.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <ranges>
#include <vector>

#include "engine/job.hpp"
#include "sort/file_sort.hpp"
#include "support/mixed.hpp"

namespace jobs {
namespace {

using list = std::vector<std::int32_t>;

// The task: generates and sorts a list, and returns its first numbers.
list begin_of_sorted_list(std::uint64_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  list numbers(size);
  for (auto& number : numbers) number = static_cast<std::int32_t>(1 + random() % 10'000);
  std::ranges::sort(numbers);
  return {numbers.begin(), numbers.begin() + std::min<std::ptrdiff_t>(std::ssize(numbers), 5)};
}

class sort_job : public job {
  // Options for sorting random lists.
  std::int64_t lists_ = 4;
  std::uint64_t size_ = 1000;
  std::optional<std::uint64_t> seed_;
  // Options for sorting a file.
  file_sort_options file_;

  bool sorts_file() const { return !file_.input.empty(); }

  void declare(job_options& options) override {
    const auto input =
        options.input_file("input", file_.input, "a .npy file with one dimension, or a raw one with --type", "INPUT");
    options
        .choice("--type", file_.type, {"int64", "float64", "int32", "float32"}, "type of the numbers in a raw little-endian file",
                "TYPE")
        .needs(input);
    options
        .size("--memory", file_.memory, "bytes of numbers that a worker holds at once, at most (default 1G)", 1 << 16,
              std::uint64_t{1} << 50)
        .needs(input)
        .without_effect();
    options.verify("check that the output is in order and holds the numbers of the input").needs(input);

    options.number("--lists", lists_, "number of lists (default 4)", 1, 1'000'000'000).excludes(input);
    options.number("--size", size_, "numbers in a list (default 1000)", 1, 1'000'000'000).excludes(input);
    options.number("--seed", seed_, "random seed (default: different in each run)").excludes(input);
    options.chunksize("lists in a task (default 1); for a file, --memory determines the tasks").excludes(input);
    options.output();
  }

  void check(const run_settings& settings) override { sorts_file() ? file_.check(settings.output) : settings.output.check(); }

  bool prints(const run_settings&) const override { return !sorts_file(); }

  void run(job_run& run) override { sorts_file() ? sort_file(run, file_) : sort_lists(run); }

  void sort_lists(job_run& run) const {
    const std::uint64_t seed = seed_ ? *seed_ : run.seed();
    run.report().add("seed", seed);
    const auto seeds = std::views::iota(std::int64_t{0}, lists_) |
                       std::views::transform([seed](std::int64_t i) { return random_bits(seed, static_cast<std::uint64_t>(i)); });
    std::int64_t index = 0;
    const auto sorted_list = rankpool::partial(begin_of_sorted_list, size_);
    const auto chunk = run.chunksize_or(1LL);
    const auto in_flight = 4 * chunk * run.pool().num_workers();
    for (const list& begin : run.pool().map({.chunksize = chunk, .buffersize = in_flight}, sorted_list, seeds)) {
      run.out().print("Sorted list ", index++, " (first 5 elements): ");
      print_list(run.out(), begin);
      run.out().print('\n');
    }
  }
};

const job_entry<sort_job> sort_job_entry(
    "sort", "a file of numbers of any size, sorted; or lists of random numbers, each sorted by a worker");

}  // namespace
}  // namespace jobs
