// Example 8: the product of two matrices, one task per tile of the product.
//
// For two .npy files, workers write the tiles into a third file and rank 0 reads only headers. Other products are printed, by
// bands of rows.
#include <algorithm>
#include <cstdint>
#include <ranges>
#include <string>
#include <tuple>
#include <utility>

#include "matrices/freivalds.hpp"
#include "matrices/gemm.hpp"
#include "matrices/matrix_job.hpp"
#include "matrices/npy_result.hpp"
#include "matrices/product.hpp"
#include "support/matrix.hpp"

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

class matmul : public matrix_job {
 public:
  matmul() : matrix_job("product", "Matrix multiplication result") {}

 private:
  void declare(job_options& options) override {
    matrix_job::declare(options);
    options.chunksize("rows of the product in a task (default: several tasks for each worker)");
    options.verify("check the written file by Freivalds' method: A(Bx) = Cx for 16 random vectors x");
    options.after_parsing(keep_blas_to_one_thread);
  }

  void check_shapes(const matrix_source& a, const matrix_source& b) const override {
    if (a.columns != b.rows) {
      throw usage_error(describe(a) + " and " + describe(b) +
                        " cannot be multiplied: the first must have as many columns as the second has rows");
    }
  }

  void print_tutorial(rankpool::executor& pool, output& out) const override {
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

  void print_result(job_run& run, const matrix_work& work) const override {
    const std::uint64_t most_rows =
        std::max<std::uint64_t>(1, (std::uint64_t{1} << 20) / std::max<std::uint64_t>(1, work.b.columns));
    const tiles rows = cut(work.a.rows, work.b.columns,
                           run.chunksize_or(std::min(most_rows, work.a.rows / (4 * static_cast<std::uint64_t>(run.workers())) + 1)),
                           work.b.columns);
    print_blocks(run, rows, work.a.rows, rankpool::partial(product_text, work));
  }

  void write_result(job_run& run, matrix_work work) const override {
    npy_result file(run, {.type = work.a.type, .fortran_order = false, .shape = {work.a.rows, work.b.columns}});
    work.target = file.target();
    const tiles cut = tiles_of_product(work, run.workers(), static_cast<std::uint64_t>(run.chunksize()));
    const std::string division = "the product has " + std::to_string(cut.count()) + " tiles, " + std::to_string(cut.down) +
                                 " down and " + std::to_string(cut.across) + " across, a task each";
    write_parts(run, file, cut, division, tasks_to_check(work, run.workers()), rankpool::partial(write_product, work),
                [&](rankpool::executor& pool) { verify(run, pool, work); });
  }

  static void verify(job_run& run, rankpool::executor& pool, const matrix_work& work) {
    const product_check check = check_product(pool, work, run.workers(), run.seed());
    run.verified(check.holds, "A(Bx) = Cx for 16 random vectors x" +
                                  (check.holds ? "" : "; row " + std::to_string(check.wrong_row) + " is wrong") +
                                  (check.untested_rows == 0 ? ""
                                                            : "; " + std::to_string(check.untested_rows) +
                                                                  " rows with inf, nan or very large numbers were not checked"));
  }
};

const job_entry<matmul> matmul_entry("matmul", "the product of two matrices, by tiles");

}  // namespace
}  // namespace jobs
