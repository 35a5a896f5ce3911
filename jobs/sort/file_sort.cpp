#include "sort/file_sort.hpp"

#include <sys/stat.h>

#include <array>
#include <optional>
#include <rankpool/written_files.hpp>
#include <span>
#include <string_view>

#include "engine/result_output.hpp"
#include "sort/number_file.hpp"
#include "sort/one_pass.hpp"
#include "sort/plan.hpp"
#include "sort/sampling.hpp"
#include "sort/two_passes.hpp"
#include "sort/verification.hpp"
#include "support/npy.hpp"

namespace jobs {
namespace {

file open_input(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    throw usage_error(path + " is not a regular file; workers read this input in parallel");
  }
  try {
    return file(path);
  } catch (const file_error& error) {
    throw usage_error(error.what());
  }
}

bool is_npy(const file& from) {
  constexpr std::string_view magic = "\x93NUMPY";
  std::array<char, magic.size()> start{};
  if (from.size() < start.size()) return false;
  from.read_items(std::span<char>(start), 0);
  return std::string_view(start.data(), start.size()) == magic;
}

number_file find_npy(const file& from) {
  if (!is_npy(from)) throw usage_error(from.path() + " is not a .npy file; give the type of the numbers of a raw file with --type");
  const npy_header header = read_npy_header(from);
  if (header.shape.size() != 1) {
    throw usage_error(from.path() + " (" + describe(header) + ") cannot be sorted: a .npy file must have one dimension");
  }
  return {rankpool::canonical_path(from.path()), header.type, header.data_offset, header.count()};
}

number_file find_raw(const file& from, const std::string& type_name) {
  number_file numbers{.path = rankpool::canonical_path(from.path())};
  for (const auto type : {element_type::int32, element_type::int64, element_type::float32, element_type::float64}) {
    if (name_of(type) == type_name) numbers.type = type;
  }
  if (is_npy(from)) throw usage_error(from.path() + " is a .npy file, which contains its type; --type is for raw files");
  const std::size_t size = size_of(numbers.type);
  if (from.size() % size != 0) {
    throw usage_error(from.path() + " has " + std::to_string(from.size()) + " bytes, which is not a multiple of the " +
                      std::to_string(size) + " bytes of " + type_name);
  }
  numbers.count = from.size() / size;
  return numbers;
}

number_file find_numbers(const file_sort_options& chosen) {
  const file from = open_input(chosen.input);
  return chosen.type.empty() ? find_npy(from) : find_raw(from, chosen.type);
}

// The file for numbers between two passes. Its name stays temporary: the file is never renamed to this path.
std::string carried_path(const job_run& run) { return run.settings().output.path + ".carried"; }
const std::string carried_name = "numbers between two passes";

/// Returns the position of the numbers of `input` in an output file, beginning at `offset` bytes.
number_target target_in(const rankpool::result_file& file, const number_file& input, std::uint64_t offset) {
  number_target target;
  target.path = file.path();
  target.type = input.type;
  target.offset = offset;
  target.count = input.count;
  target.writer = file.writer();
  return target;
}

void sort_numbers(job_run& run, sort_work work, const sort_plan& plan) {
  if (plan.buckets > 1) {
    auto samples = draw_samples(run.pool(), work.input, plan.samples, run.workers());
    work.splitters = choose_splitters(samples, plan.buckets);
    run.explain("splitters chosen from " + std::to_string(plan.samples) + " samples");
  }
  if (plan.one_pass) {
    sort_in_one_pass(run.pool(), work);
  } else {
    sort_in_two_passes(run.pool(), work, plan.part);
  }
}

void verify(job_run& run, rankpool::executor& pool, const number_file& input, const number_file& output) {
  const file_examination before = examine(pool, input);
  const file_examination after = examine(pool, output);
  run.verified(after.in_order, "the output is in order");
  run.verified(before.numbers == after.numbers, "input and output hold the same numbers (count, sum, sum of hashes)");
}

std::uint64_t expected_tasks(const number_file& input, const sort_plan& plan, int workers, bool verify) {
  const std::uint64_t sampling = sampling_tasks(plan.samples, workers);
  const std::uint64_t carrying = plan.one_pass ? 0 : 2 * plan.parts(input.count);
  const std::uint64_t verifying = verify ? 2 * ((input.count + part_of_examination - 1) / part_of_examination) : 0;
  return sampling + carrying + plan.buckets + verifying;
}

}  // namespace

void file_sort_options::check(const output_options& output) const {
  find_numbers(*this);
  if (output.path.empty()) throw usage_error("--output FILE is required to sort a file");
  output.check_for_workers();
  output_options sorted = output;
  sorted.may_replace = {input};
  check_distinct({{input, "INPUT"}}, {sorted});
}

void sort_file(job_run& run, const file_sort_options& chosen) {
  const number_file input = find_numbers(chosen);
  run.expect_unchanged(chosen.input);
  const std::uint64_t memory = std::stoull(run.divided_as("--memory", std::to_string(chosen.memory)));
  const sort_plan plan = plan_sort(input.count, size_of(input.type), run.workers(), memory);
  run.explain(std::to_string(input.count) + " " + std::string(name_of(input.type)) + " in " + describe(plan, input.count));
  run.shown().expect(expected_tasks(input, plan, run.workers(), run.verifies()));

  std::string preamble;
  if (chosen.type.empty()) {
    npy_header header{.type = input.type, .shape = {input.count}};
    preamble = npy_preamble(header);
  }
  rankpool::result_file out = open_result_file(run, preamble.size() + input.bytes());
  if (out.is_finished()) {
    rankpool::result_file::remove_unfinished(run.journal(), carried_path(run), carried_name);
    if (run.verifies()) {
      rankpool::executor pool = run.pool_without_journal();
      verify(run, pool, input, {run.settings().output.path, input.type, preamble.size(), input.count});
    }
  } else {
    const number_target output = target_in(out, input, preamble.size());
    out.write(std::as_bytes(std::span(preamble)), 0);
    // Buckets are sorted in place, except with a journal: an interrupted in-place write could not be resumed.
    std::optional<rankpool::result_file> carried;
    number_target between = output;
    if (run.has_journal() && !plan.one_pass) {
      carried.emplace(run.journal(), carried_path(run), input.bytes(),
                      rankpool::result_file_options{.overwrite = true, .name = carried_name});
      between = target_in(*carried, input, 0);
    }
    if (input.count > 0) sort_numbers(run, {input, output, between, {}}, plan);
    if (run.verifies()) verify(run, run.pool(), input, output);
    out.finish();
    if (carried) carried->discard();
  }

  run.report().add("output", run.settings().output.path);
  run.report().add("type", name_of(input.type));
  run.report().add("count", input.count);
}

}  // namespace jobs
