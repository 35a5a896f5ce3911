#include "matrices/options.hpp"

#include <set>

#include "support/numbers.hpp"

namespace jobs {
namespace {

element_type parse_type(const std::string& name) {
  for (const element_type type : {element_type::int32, element_type::int64, element_type::float32}) {
    if (name == name_of(type)) return type;
  }
  return element_type::float64;
}

}  // namespace

std::pair<matrix_source, matrix_source> matrix_options::sources() const {
  if (are_files()) return {stored_matrix(a), stored_matrix(b)};
  const element_type chosen = parse_type(type);
  return {generated_matrix(chosen, size, size, seed), generated_matrix(chosen, size, size, seed + 1)};
}

void matrix_options::check(const command_context& context) const {
  if (are_files() && b.empty()) throw usage_error("two matrices are needed, and " + a + " is one");
  if (are_files() && are_generated())
    throw usage_error("--size generates both matrices, and takes the place of files; give one of the two");
  if (!are_files() && !are_generated() && make_file()) {
    throw usage_error("--output " + output.path + " is a .npy file; give two such files, or --size, for what goes into it");
  }
  if (context.verify && !make_file()) throw usage_error("--verify tests the file that was written; give --output FILE.npy");
  make_file() ? output.check_for_workers() : output.check();
  if (!are_files()) return;
  output_options result = output;
  if (make_file()) result.may_replace = {a, b};
  check_distinct({{a, "A"}, {b, "B"}}, {result});
}

void add_matrix_options(CLI::App& job, matrix_options& options, const std::string& result) {
  add_input_file(job, "A", options.a, "the first matrix, a .npy file (int32, int64, float32 or float64, C or Fortran order)");
  add_input_file(job, "B", options.b, "the second, of the same type");
  CLI::Option* size = add_number<std::uint64_t>(job, "--size", options.size,
                                                "instead of files, two random matrices of this many rows", 1, 1'000'000);
  job.add_option("--type", options.type,
                 "of random numbers: int32 or int64 (default), from -9 to 9; float32 or float64, in [-1, 1)")
      ->type_name("TYPE")
      ->check(CLI::IsMember(std::set<std::string>{"int32", "int64", "float32", "float64"}))
      ->needs(size);
  add_number<std::uint64_t>(job, "--seed", options.seed, "which random matrices (default 1)")->needs(size);
  add_output(job, options.output, "write the " + result + " to this file: numbers if it ends in .npy, else text");
}

void check_types(const matrix_source& a, const matrix_source& b) {
  if (a.type != b.type) throw usage_error(describe(a) + " and " + describe(b) + " are of different types");
}

}  // namespace jobs
