// Counts the pictures of a run: processed, failed, wrong, and left out because of --max-failures.
#pragma once

#include <cstdint>
#include <rankpool/rankpool.hpp>
#include <string>

#include "engine/job_run.hpp"
#include "image/picture_task.hpp"

namespace jobs {

class tally {
 public:
  /// `prints`: report() prints the counts on stdout, which is free.
  tally(job_run& run, std::uint64_t pictures, bool prints) : run_(run), pictures_(pictures), prints_(prints) {}

  /// Counts a processed picture.
  void add(std::uint64_t pixels);
  /// Counts a picture that was not processed, because of --max-failures.
  void add_left_out() { ++left_out_; }
  /// Counts a picture that was not processed, or whose result is wrong, and prints the problem.
  void add_failure(const std::string& problem, bool is_wrong = false);

  /// Calls `process`, which may count a picture. If it throws picture_failure, counts a failed picture; if it did not run because
  /// of
  /// --max-failures, a picture that is left out.
  template <class Process>
  void add_from(Process process) {
    try {
      process();
    } catch (const wrong_picture& wrong) {
      add_failure(wrong.what(), true);
    } catch (const picture_failure& failure) {
      add_failure(failure.what());
    } catch (const rankpool::error& error) {
      if (!run_.is_cut_off_by(error)) throw;
      add_left_out();
    }
  }

  std::uint64_t failed() const { return failed_ + wrong_; }

  /// Prints the counts and returns the exit status. Throws: verification_error if a result is wrong.
  int report();

 private:
  job_run& run_;
  std::uint64_t pictures_, done_ = 0, failed_ = 0, wrong_ = 0, left_out_ = 0, pixels_ = 0;
  bool prints_;
};

}  // namespace jobs
