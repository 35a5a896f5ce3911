// What matmul and matadd have in common: options, checks, and whether the result is printed or written to a .npy file.
#pragma once

#include <string>
#include <utility>

#include "engine/job.hpp"
#include "matrices/options.hpp"
#include "matrices/source.hpp"

namespace jobs {

/// A job with two matrices. A derived class declares its own options after matrix_job::declare().
class matrix_job : public job {
 protected:
  /// `result` names the result in the help text; `title` is the first line of printed output.
  matrix_job(std::string result, std::string title) : result_(std::move(result)), title_(std::move(title)) {}

  void declare(job_options& options) override { operands_.declare(options, result_); }

  void check(const run_settings& settings) override {
    operands_.check(settings);
    if (operands_.are_files()) work();
  }

  bool prints(const run_settings& settings) const override { return !writes_npy(settings); }

  void run(job_run& run) override {
    operands_.expect_unchanged(run);
    if (writes_npy(run.settings())) return write_result(run, work());
    run.out().print(title_, ":\n");
    if (operands_.are_files() || operands_.are_generated()) {
      print_result(run, work());
    } else {
      print_tutorial(run.pool(), run.out());
    }
  }

 private:
  matrix_work work() const {
    auto [a, b] = operands_.sources();
    check_shapes(a, b);
    return {.a = std::move(a), .b = std::move(b), .target = {}};
  }

  /// Throws: usage_error if there is no result for matrices of these shapes.
  virtual void check_shapes(const matrix_source& a, const matrix_source& b) const = 0;
  virtual void write_result(job_run& run, matrix_work work) const = 0;
  virtual void print_result(job_run& run, const matrix_work& work) const = 0;
  /// Prints the result of the tutorial's matrices.
  virtual void print_tutorial(rankpool::executor& pool, output& out) const = 0;

  matrix_options operands_;
  std::string result_;
  std::string title_;
};

}  // namespace jobs
