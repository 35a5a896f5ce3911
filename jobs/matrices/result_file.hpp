// A .npy file that workers fill: its header is written by rank 0, its numbers by tasks, and its name is given when all are there.
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
  /// Throws: as open_result_file(), also if the disk has no room for it.
  result_file(job_run& run, npy_header header)
      : header_(std::move(header)),
        preamble_(npy_preamble(header_)),
        name_(run.settings().output.path),
        file_(open_result_file(run, preamble_.size() + header_.bytes())) {
    if (!is_finished()) file_.write(std::as_bytes(std::span(preamble_)), 0);
  }

  /// By an earlier run with the journal: nothing is left to be written.
  bool is_finished() const { return file_.is_finished(); }

  /// As tasks write it and read it back.
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

  /// Waits for the tasks that fill it, each of which says how many numbers it has written.
  template <class Results>
  void collect(Results&& written) {
    std::uint64_t count = 0;
    for (const std::uint64_t numbers : written) count += numbers;
    if (count != header_.count())
      throw std::logic_error("tasks have written " + std::to_string(count) + " numbers of " + std::to_string(header_.count()));
  }

  /// Throws: file_error.
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

/// Lines for rows without columns.
inline void print_empty_rows(output& out, std::uint64_t rows) {
  for (std::uint64_t i = 0; i < rows; ++i) out.print("[]\n");
}

}  // namespace jobs
