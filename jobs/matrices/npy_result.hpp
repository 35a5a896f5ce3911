// A .npy file that workers fill: rank 0 writes the header, tasks write numbers. It gets its final name when it is complete.
#pragma once

#include <cstdint>
#include <rankpool/written_files.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "engine/job_run.hpp"
#include "engine/result_output.hpp"
#include "matrices/source.hpp"
#include "matrices/tiles.hpp"
#include "support/npy.hpp"

namespace jobs {

class npy_result {
 public:
  /// Creates the file. Throws: the exceptions of open_result_file(), also if the disk is too full.
  npy_result(job_run& run, npy_header header)
      : header_(std::move(header)),
        preamble_(npy_preamble(header_)),
        name_(run.settings().output.path),
        file_(open_result_file(run, preamble_.size() + header_.bytes())) {
    if (!is_finished()) file_.write(std::as_bytes(std::span(preamble_)), 0);
  }

  /// Returns whether an earlier run with the journal finished the file, so that no task is needed.
  bool is_finished() const { return file_.is_finished(); }

  /// Returns the target with which tasks write the numbers and read them back.
  matrix_target target() const {
    return {{.path = is_finished() ? rankpool::canonical_path(name_) : file_.path(),
             .type = header_.type,
             .fortran_order = header_.fortran_order,
             .rows = header_.shape[0],
             .columns = header_.shape[1],
             .data_offset = header_.data_offset,
             .seed = 0},
            is_finished() ? rankpool::result_writer() : file_.writer()};
  }

  /// Blocks until the tasks have filled the file. Each task returns how many numbers it wrote.
  template <class Results>
  void collect(Results&& written) {
    std::uint64_t count = 0;
    for (const std::uint64_t numbers : written) count += numbers;
    if (count != header_.count())
      throw std::logic_error("tasks have written " + std::to_string(count) + " numbers of " + std::to_string(header_.count()));
  }

  /// Gives the file its final name. Throws: file_error.
  void finish() { file_.finish(); }

  void report(job_run& run) const {
    run.report().add("output", name_);
    run.report().add("type", name_of(header_.type));
    run.report().add("rows", header_.shape[0]);
    run.report().add("columns", header_.shape[1]);
  }

 private:
  npy_header header_;
  std::string preamble_;
  std::string name_;
  rankpool::result_file file_;
};

/// Writes `file` with a task for each part, verifies it with --verify, and finishes it. A file that an earlier run finished is only
/// verified. `division` describes the parts, for --verbose; `checks` is the number of items that `verify(pool)` submits.
template <class Task, class Verify>
void write_parts(job_run& run, npy_result& file, const tiles& parts, const std::string& division, std::uint64_t checks, Task task,
                 Verify verify) {
  if (file.is_finished()) {
    if (run.verifies()) {
      rankpool::executor pool = run.pool_without_journal();
      verify(pool);
    }
    return file.report(run);
  }
  run.explain(division);
  run.expect_tasks(parts.count(), checks);
  file.collect(run.pool().map({.chunksize = 1, .buffersize = 16 * run.pool().num_workers(), .ordered = false}, task, parts.all()));
  if (run.verifies()) verify(run.pool());
  file.finish();
  file.report(run);
}

/// Prints a matrix of `rows` rows: the texts that `task` returns for blocks of rows. A row without columns is a line, too.
template <class Task>
void print_blocks(job_run& run, const tiles& blocks, std::uint64_t rows, Task task) {
  run.expect_tasks(blocks.count());
  for (std::uint64_t row = 0; blocks.count() == 0 && row < rows; ++row) run.out().print("[]\n");
  for (const std::string& lines :
       run.pool().map({.chunksize = 1, .buffersize = 2 * run.pool().num_workers()}, task, blocks.all())) {
    run.out().print(lines);
  }
}

}  // namespace jobs
