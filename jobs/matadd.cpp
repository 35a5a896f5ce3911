// Exercise 4: the sum of two matrices, row by row. The exercise leaves the matrices open; these are Example 8's.
#include <cstdint>
#include <memory>
#include <stdexcept>

#include "support/command.hpp"
#include "support/matrix.hpp"
#include "support/numbers.hpp"
#include "support/output.hpp"

namespace jobs {
namespace {

struct options {
  std::size_t size = 0;  // 0: the tutorial's two matrices
  std::uint64_t seed = 1;
  output_options output;
};

row add_rows(row a, const row& b) {
  if (a.size() != b.size()) throw std::invalid_argument("rows of different lengths cannot be added");
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

int matadd(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  const bool generated = chosen.size > 0;
  const matrix a = generated ? random_matrix(chosen.size, chosen.size, chosen.seed) : matrix{{1, 2}, {3, 4}};
  const matrix b = generated ? random_matrix(chosen.size, chosen.size, chosen.seed + 1) : matrix{{5, 6}, {7, 8}};

  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  out.print("Matrix addition result:\n");
  for (const row& sum : pool.map({.buffersize = 1024}, add_rows, a, b)) {
    print_list(out, sum);
    out.print('\n');
  }
  out.finish();
  return 0;
}

void add_matadd(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "matadd", "the sum of two matrices, row by row",
      [chosen](rankpool::cluster& cluster, command_context& c) { return matadd(cluster, c, *chosen); },
      [chosen] { chosen->output.check(); });
  add_number<std::size_t>(job, "--size", chosen->size, "add two random matrices of this many rows", 1, 20'000);
  add_number<std::uint64_t>(job, "--seed", chosen->seed, "which random matrices (default 1)");
  add_output(job, chosen->output);
}

const job_entry entry("matadd", add_matadd);

}  // namespace
}  // namespace jobs
