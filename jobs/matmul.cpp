// Example 8: the product of two matrices, one task for each tile of it.
//
// Tiles of two .npy files go into a third, written by the workers; rank 0 sees headers alone. Everything else is printed, by
// bands of rows.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <ranges>
#include <string>
#include <tuple>
#include <utility>

#include "matrices/freivalds.hpp"
#include "matrices/gemm.hpp"
#include "matrices/options.hpp"
#include "matrices/product.hpp"
#include "matrices/result_file.hpp"
#include "support/command.hpp"
#include "support/matrix.hpp"
#include "support/output.hpp"

namespace jobs {
namespace {

matrix multiply_rows(const matrix& a, const matrix& b) {
  const std::size_t columns = b.front().size();
  matrix product(a.size(), row(columns, 0));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t k = 0; k < b.size(); ++k) {
      for (std::size_t j = 0; j < columns; ++j) product[i][j] += a[i][k] * b[k][j];
    }
  }
  return product;
}

void print_tutorial(rankpool::executor& pool, output& out) {
  const matrix a{{1, 2}, {3, 4}};
  const matrix b{{5, 6}, {7, 8}};
  const auto with_b = [&b](const row& line) { return std::tuple(matrix{line}, b); };
  for (const matrix& rows : pool.starmap(multiply_rows, a | std::views::transform(with_b))) {
    for (const row& entries : rows) {
      print_list(out, entries);
      out.print('\n');
    }
  }
}

product asked_product(const matrix_options& chosen) {
  auto [a, b] = chosen.sources();
  check_types(a, b);
  if (a.columns != b.rows) {
    throw usage_error(describe(a) + " and " + describe(b) +
                      " cannot be multiplied: the first has to have as many columns as the second has rows");
  }
  return {.a = std::move(a), .b = std::move(b), .target = {}};
}

void print_product(rankpool::executor& pool, command_context& context, output& out, const product& work) {
  const std::uint64_t most_rows = std::max<std::uint64_t>(1, (std::uint64_t{1} << 20) / std::max<std::uint64_t>(1, work.b.columns));
  const tiles rows =
      cut(work.a.rows, work.b.columns,
          context.chunk_or(std::min(most_rows, work.a.rows / (4 * static_cast<std::uint64_t>(context.divided_for(pool))) + 1)),
          work.b.columns);
  context.shown.expect(rows.count());
  if (rows.count() == 0) print_empty_rows(out, work.a.rows);
  for (const std::string& lines :
       pool.map({.chunksize = 1, .buffersize = 2 * pool.num_workers()}, rankpool::partial(product_text, work), rows.all())) {
    out.print(lines);
  }
}

void verify_product(rankpool::executor& pool, command_context& context, const product& work) {
  const product_check check = check_product(pool, work, context.divided_for(pool), context.seed());
  context.verified(check.holds, "A(Bx) = Cx for 16 random vectors x" +
                                    (check.holds ? "" : " (row " + std::to_string(check.wrong_row) + " is wrong)") +
                                    (check.untested_rows == 0 ? ""
                                                              : ", leaving out " + std::to_string(check.untested_rows) +
                                                                    " rows with inf, nan or very large numbers"));
}

void write_whole_product(rankpool::cluster& cluster, command_context& context, const output_options& where, product work) {
  rankpool::executor pool(cluster, context.executor_options());
  result_file file(context, where, {.type = work.a.type, .fortran_order = false, .shape = {work.a.rows, work.b.columns}});
  work.target = file.target();
  if (file.is_finished()) {
    if (context.verify) {
      rankpool::executor without_journal(cluster, {.max_workers = context.max_workers});
      verify_product(without_journal, context, work);
    }
    return file.report(context);
  }
  const tiles cut = tiles_of_product(work, context.divided_for(pool), static_cast<std::uint64_t>(context.chunksize));
  context.explain("the product has " + std::to_string(cut.count()) + " tiles, " + std::to_string(cut.down) + " down and " +
                  std::to_string(cut.across) + " across, a task each");
  context.shown.expect(cut.count() + (context.verify ? tasks_to_check(work, context.divided_for(pool)) : 0));
  file.collect(pool.map({.chunksize = 1, .buffersize = 16 * pool.num_workers(), .ordered = false},
                        rankpool::partial(write_product, work), cut.all()));
  if (context.verify) verify_product(pool, context, work);
  file.finish();
  file.report(context);
}

int matmul(rankpool::cluster& cluster, command_context& context, const matrix_options& chosen) {
  for (const std::string& file : {chosen.a, chosen.b}) {
    if (!file.empty()) context.expect_unchanged(file);
  }
  if (chosen.make_file()) {
    write_whole_product(cluster, context, chosen.output, asked_product(chosen));
    return 0;
  }
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  out.print("Matrix multiplication result:\n");
  if (chosen.are_files() || chosen.are_generated()) {
    print_product(pool, context, out, asked_product(chosen));
  } else {
    print_tutorial(pool, out);
  }
  out.finish();
  return 0;
}

void add_matmul(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<matrix_options>();
  CLI::App& job = add_job(
      app, context, "matmul", "the product of two matrices, by tiles",
      [chosen](rankpool::cluster& cluster, command_context& c) { return matmul(cluster, c, *chosen); },
      [chosen, &context] {
        chosen->check(context);
        if (chosen->are_files()) asked_product(*chosen);
      });
  job.preparse_callback([](std::size_t) { keep_blas_to_one_thread(); });
  add_matrix_options(job, *chosen, "product");
  add_chunksize(job, context, "rows of the product in a task (default: so that each worker has several tasks)");
  add_verify(job, context, "test the file that was written, by Freivalds' method: A(Bx) = Cx for 16 random vectors x");
}

const job_entry entry("matmul", add_matmul);

}  // namespace
}  // namespace jobs
