#include "matrices/options.hpp"

#include "engine/job_run.hpp"

namespace jobs {
namespace {

element_type parse_type(const std::string& name) {
  for (const element_type type : {element_type::int32, element_type::int64, element_type::float32}) {
    if (name == name_of(type)) return type;
  }
  return element_type::float64;
}

}  // namespace

void matrix_options::declare(job_options& options, const std::string& result) {
  options.input_file("A", a, "the first matrix, a .npy file (int32, int64, float32 or float64, C or Fortran order)");
  options.input_file("B", b, "the second matrix, of the same type");
  const auto by_size =
      options.number("--size", size, "instead of files, two random matrices of this many rows and columns", 1, 1'000'000);
  options
      .choice("--type", type, {"int32", "int64", "float32", "float64"},
              "of random numbers: int32 or int64 (default), from -9 to 9; float32 or float64, in [-1, 1)", "TYPE")
      .needs(by_size);
  options.number("--seed", seed, "random seed of the matrices (default 1)").needs(by_size);
  options.output("write the " + result + " to this file: numbers if its name ends in .npy, else text");
}

void matrix_options::check(const run_settings& settings) const {
  const output_options& output = settings.output;
  if (are_files() && b.empty()) throw usage_error("two matrices are required, but only " + a + " was given");
  if (are_files() && are_generated()) throw usage_error("--size and files exclude each other: --size generates both matrices");
  if (!are_files() && !are_generated() && writes_npy(settings)) {
    throw usage_error("--output " + output.path + " requires two .npy files, or --size");
  }
  if (settings.verify && !writes_npy(settings)) throw usage_error("--verify requires --output FILE.npy, the file that it checks");
  writes_npy(settings) ? output.check_for_workers() : output.check();
  if (!are_files()) return;
  output_options result = output;
  if (writes_npy(settings)) result.may_replace = {a, b};
  check_distinct({{a, "A"}, {b, "B"}}, {result});
}

std::pair<matrix_source, matrix_source> matrix_options::sources() const {
  const element_type chosen = parse_type(type);
  auto matrices = are_files()
                      ? std::pair(stored_matrix(a), stored_matrix(b))
                      : std::pair(generated_matrix(chosen, size, size, seed), generated_matrix(chosen, size, size, seed + 1));
  if (matrices.first.type != matrices.second.type)
    throw usage_error(describe(matrices.first) + " and " + describe(matrices.second) + " have different types");
  return matrices;
}

void matrix_options::expect_unchanged(job_run& run) const {
  for (const std::string& file : {a, b}) {
    if (!file.empty()) run.expect_unchanged(file);
  }
}

}  // namespace jobs
