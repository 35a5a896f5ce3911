// A .npy file that workers fill: rank 0 writes the header, tasks write numbers. It gets its final name when it is complete.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "engine/job_run.hpp"
#include "engine/result_output.hpp"
#include "matrices/source.hpp"
#include "support/canonical_path.hpp"
#include "support/npy.hpp"

namespace jobs {

class result_file {
 public:
  /// Creates the file. Throws: the exceptions of open_result_file(), also if the disk is too full.
  result_file(job_run& run, npy_header header)
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
    return {{.path = is_finished() ? canonical_path(name_) : file_.path(),
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

/// Prints a line for each row of a matrix without columns.
inline void print_empty_rows(output& out, std::uint64_t rows) {
  for (std::uint64_t i = 0; i < rows; ++i) out.print("[]\n");
}

}  // namespace jobs
