// Example 8: the product of two matrices, one task for each band of rows of the first.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <ranges>
#include <tuple>

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

matrix multiply(const matrix& a, const matrix& b) {
  const std::size_t columns = b.front().size();
  matrix product(a.size(), row(columns, 0));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t k = 0; k < b.size(); ++k) {
      for (std::size_t j = 0; j < columns; ++j) product[i][j] += a[i][k] * b[k][j];
    }
  }
  return product;
}

int matmul(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  const bool generated = chosen.size > 0;
  const matrix a = generated ? random_matrix(chosen.size, chosen.size, chosen.seed) : matrix{{1, 2}, {3, 4}};
  const matrix b = generated ? random_matrix(chosen.size, chosen.size, chosen.seed + 1) : matrix{{5, 6}, {7, 8}};

  rankpool::executor pool(cluster, context.executor_options());
  // Each task takes the whole of b with it: few bands, but enough for an uneven pair of workers.
  const std::size_t bands = std::min(a.size(), std::size_t{4} * static_cast<std::size_t>(pool.num_workers()));
  const auto band = [&](std::size_t i) {
    const auto edge = [&](std::size_t n) { return a.begin() + static_cast<std::ptrdiff_t>(n * a.size() / bands); };
    return std::tuple(matrix(edge(i), edge(i + 1)), b);
  };
  output out(context, chosen.output);
  out.print("Matrix multiplication result:\n");
  const auto arguments = std::views::iota(std::size_t{0}, bands) | std::views::transform(band);
  for (const matrix& rows : pool.starmap({.chunksize = 1, .buffersize = 2 * pool.num_workers()}, multiply, arguments)) {
    for (const row& entries : rows) {
      print_list(out, entries);
      out.print('\n');
    }
  }
  out.finish();
  return 0;
}

void add_matmul(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "matmul", "the product of two matrices, by bands of rows",
      [chosen](rankpool::cluster& cluster, command_context& c) { return matmul(cluster, c, *chosen); },
      [chosen] { chosen->output.check(); });
  add_number<std::size_t>(job, "--size", chosen->size, "multiply two random matrices of this many rows", 1, 20'000);
  add_number<std::uint64_t>(job, "--seed", chosen->seed, "which random matrices (default 1)");
  add_output(job, chosen->output);
}

const job_entry entry("matmul", add_matmul);

}  // namespace
}  // namespace jobs
