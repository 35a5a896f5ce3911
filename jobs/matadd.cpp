// Exercise 4: the sum of two matrices, in parts. The exercise does not specify the matrices; this job uses those of Example 8.
//
// Workers read, add and write parts of two .npy files of any size; rank 0 reads only the headers.
#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "matrices/matrix_job.hpp"
#include "matrices/npy_result.hpp"
#include "matrices/sum.hpp"
#include "matrices/sum_check.hpp"
#include "support/matrix.hpp"

namespace jobs {
namespace {

row add_rows(row a, const row& b) {
  if (a.size() != b.size()) throw std::invalid_argument("rows of different lengths cannot be added");
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

class matadd : public matrix_job {
 public:
  matadd() : matrix_job("sum", "Matrix addition result") {}

 private:
  void declare(job_options& options) override {
    matrix_job::declare(options);
    options.chunksize("numbers in a task that writes a file, rows in one that prints (default: several tasks for each worker)");
    options.verify("check the written file: numbers at random places, and the totals");
  }

  void check_shapes(const matrix_source& a, const matrix_source& b) const override {
    if (a.rows != b.rows || a.columns != b.columns) {
      throw usage_error(describe(a) + " and " + describe(b) + " cannot be added: they have different shapes");
    }
  }

  void print_tutorial(rankpool::executor& pool, output& out) const override {
    const matrix a{{1, 2}, {3, 4}};
    const matrix b{{5, 6}, {7, 8}};
    for (const row& sum : pool.map(add_rows, a, b)) {
      print_list(out, sum);
      out.print('\n');
    }
  }

  void print_result(job_run& run, const matrix_work& work) const override {
    const std::uint64_t columns = std::max<std::uint64_t>(1, work.a.columns);
    const tiles rows =
        cut(work.a.rows, work.a.columns, run.chunksize_or(std::max<std::uint64_t>(1, (std::uint64_t{1} << 18) / columns)), columns);
    print_blocks(run, rows, work.a.rows, rankpool::partial(sum_text, work));
  }

  void write_result(job_run& run, matrix_work work) const override {
    const bool by_columns = work.a.fortran_order && work.b.fortran_order;
    npy_result file(run, {.type = work.a.type, .fortran_order = by_columns, .shape = {work.a.rows, work.a.columns}});
    work.target = file.target();
    if (by_columns) work = {work.a.transposed(), work.b.transposed(), work.target.transposed()};
    const tiles parts = parts_of_sum(work, run.workers(), static_cast<std::uint64_t>(run.chunksize()));
    const std::string division =
        "the sum has " + std::to_string(parts.count()) + " parts, a task each: " +
        (work.a.fortran_order == work.b.fortran_order ? "consecutive numbers, as both files are in the same order"
                                                      : "tiles, as the files are in different orders");
    write_parts(run, file, parts, division, tasks_to_check(work), rankpool::partial(write_sum, work),
                [&](rankpool::executor& pool) { verify(run, pool, work); });
  }

  static void verify(job_run& run, rankpool::executor& pool, const matrix_work& work) {
    const sum_check check = check_sum(pool, work, run.seed());
    run.verified(check.failure.empty(),
                 std::to_string(sum_check::samples) + " numbers at random places are the sum" +
                     (check.totals_tested ? ", and the totals agree" : "; totals cannot be checked because of inf or nan") +
                     (check.failure.empty() ? "" : ": " + check.failure));
  }
};

const job_entry<matadd> matadd_entry("matadd", "the sum of two matrices, part by part");

}  // namespace
}  // namespace jobs
