// Exercise 4: the sum of two matrices, part by part. The exercise leaves the matrices open; these are Example 8's.
//
// Two .npy files are added where they are, however large: workers read, add and write parts of them, and rank 0 sees headers alone.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "matrices/options.hpp"
#include "matrices/result_file.hpp"
#include "matrices/sum.hpp"
#include "matrices/sum_check.hpp"
#include "support/command.hpp"
#include "support/matrix.hpp"
#include "support/output.hpp"

namespace jobs {
namespace {

row add_rows(row a, const row& b) {
  if (a.size() != b.size()) throw std::invalid_argument("rows of different lengths cannot be added");
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

void print_tutorial(rankpool::executor& pool, output& out) {
  const matrix a{{1, 2}, {3, 4}};
  const matrix b{{5, 6}, {7, 8}};
  for (const row& sum : pool.map(add_rows, a, b)) {
    print_list(out, sum);
    out.print('\n');
  }
}

sum asked_sum(const matrix_options& chosen) {
  auto [a, b] = chosen.sources();
  check_types(a, b);
  if (a.rows != b.rows || a.columns != b.columns) {
    throw usage_error(describe(a) + " and " + describe(b) + " cannot be added: they have different shapes");
  }
  return {.a = std::move(a), .b = std::move(b), .target = {}};
}

void print_sum(rankpool::executor& pool, command_context& context, output& out, const sum& work) {
  const tiles rows =
      cut(work.a.rows, work.a.columns,
          context.chunk_or(std::max<std::uint64_t>(1, (std::uint64_t{1} << 18) / std::max<std::uint64_t>(1, work.a.columns))),
          std::max<std::uint64_t>(1, work.a.columns));
  context.shown.expect(rows.count());
  if (rows.count() == 0) print_empty_rows(out, work.a.rows);
  for (const std::string& lines :
       pool.map({.chunksize = 1, .buffersize = 2 * pool.num_workers()}, rankpool::partial(sum_text, work), rows.all())) {
    out.print(lines);
  }
}

void verify_sum(rankpool::executor& pool, command_context& context, const sum& work) {
  const sum_check check = check_sum(pool, work, context.seed());
  context.verified(check.failure.empty(),
                   std::to_string(sum_check::samples) + " numbers taken at random are the sum" +
                       (check.totals_tested ? ", and the totals agree" : "; totals cannot be tested, there is inf or nan") +
                       (check.failure.empty() ? "" : ": " + check.failure));
}

void write_whole_sum(rankpool::cluster& cluster, command_context& context, const output_options& where, sum work) {
  rankpool::executor pool(cluster, context.executor_options());
  const bool by_columns = work.a.fortran_order && work.b.fortran_order;
  result_file file(context, where, {.type = work.a.type, .fortran_order = by_columns, .shape = {work.a.rows, work.a.columns}});
  work.target = file.target();
  if (by_columns) work = {work.a.transposed(), work.b.transposed(), work.target.transposed()};
  if (file.is_finished()) {
    if (context.verify) {
      rankpool::executor without_journal(cluster, {.max_workers = context.max_workers});
      verify_sum(without_journal, context, work);
    }
    return file.report(context);
  }
  const tiles parts = parts_of_sum(work, context.divided_for(pool), static_cast<std::uint64_t>(context.chunksize));
  context.explain("the sum has " + std::to_string(parts.count()) + " parts, a task each: " +
                  (work.a.fortran_order == work.b.fortran_order ? "pieces of the files, which are in the same order"
                                                                : "tiles, as the files are in different orders"));
  context.shown.expect(parts.count() + (context.verify ? tasks_to_check(work) : 0));
  file.collect(pool.map({.chunksize = 1, .buffersize = 16 * pool.num_workers(), .ordered = false},
                        rankpool::partial(write_sum, work), parts.all()));
  if (context.verify) verify_sum(pool, context, work);
  file.finish();
  file.report(context);
}

int matadd(rankpool::cluster& cluster, command_context& context, const matrix_options& chosen) {
  for (const std::string& file : {chosen.a, chosen.b}) {
    if (!file.empty()) context.expect_unchanged(file);
  }
  if (chosen.make_file()) {
    write_whole_sum(cluster, context, chosen.output, asked_sum(chosen));
    return 0;
  }
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  out.print("Matrix addition result:\n");
  if (chosen.are_files() || chosen.are_generated()) {
    print_sum(pool, context, out, asked_sum(chosen));
  } else {
    print_tutorial(pool, out);
  }
  out.finish();
  return 0;
}

void add_matadd(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<matrix_options>();
  CLI::App& job = add_job(
      app, context, "matadd", "the sum of two matrices, part by part",
      [chosen](rankpool::cluster& cluster, command_context& c) { return matadd(cluster, c, *chosen); },
      [chosen, &context] {
        chosen->check(context);
        if (chosen->are_files()) asked_sum(*chosen);
      });
  add_matrix_options(job, *chosen, "sum");
  add_chunksize(job, context,
                "numbers in a task that writes a file, rows in one that prints (default: so that each worker has several)");
  add_verify(job, context, "test the file that was written: numbers at random places, and the totals");
}

const job_entry entry("matadd", add_matadd);

}  // namespace
}  // namespace jobs
