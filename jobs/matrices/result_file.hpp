// A .npy file that workers fill: its header is written by rank 0, its numbers by tasks, and its name is given when all are there.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "matrices/source.hpp"
#include "engine/job_run.hpp"
#include "support/canonical_path.hpp"
#include "support/npy.hpp"
#include "engine/output.hpp"
#include "support/parts_output.hpp"

namespace jobs {

class result_file {
 public:
  /// Throws: output_error and usage_error, as parts_output, also if the disk has no room for it.
  result_file(job_run& run, npy_header header)
      : header_(std::move(header)),
        preamble_(npy_preamble(header_)),
        name_(run.settings().output.path),
        parts_(run, run.settings().output, preamble_.size() + header_.bytes()) {
    if (!is_finished()) parts_.write(std::as_bytes(std::span(preamble_)), 0);
  }

  /// By an earlier run with the journal: nothing is left to be written.
  bool is_finished() const { return parts_.is_finished(); }

  /// As tasks write it and read it back.
  matrix_source target() const {
    return {.path = is_finished() ? canonical_path(name_) : parts_.path(),
            .type = header_.type,
            .fortran_order = header_.fortran_order,
            .rows = header_.shape[0],
            .columns = header_.shape[1],
            .data_offset = header_.data_offset,
            .seed = 0,
            .durable = parts_.is_kept()};
  }

  /// Waits for the tasks that fill it, each of which says how many numbers it has written.
  template <class Results>
  void collect(Results&& written) {
    std::uint64_t count = 0;
    for (const std::uint64_t numbers : written) count += numbers;
    if (count != header_.count())
      throw std::logic_error("tasks have written " + std::to_string(count) + " numbers of " + std::to_string(header_.count()));
  }

  /// Throws: output_error.
  void finish() { parts_.finish(); }

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
  parts_output parts_;
};

/// Lines for rows without columns.
inline void print_empty_rows(output& out, std::uint64_t rows) {
  for (std::uint64_t i = 0; i < rows; ++i) out.print("[]\n");
}

}  // namespace jobs
