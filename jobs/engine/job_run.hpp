// The state of a run on rank 0, for the code of a job: the pool, the output, the journal, progress and the report.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <rankpool/rankpool.hpp>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "engine/failure_limit.hpp"
#include "engine/output.hpp"
#include "engine/progress.hpp"
#include "engine/run_report.hpp"
#include "engine/run_settings.hpp"
#include "engine/run_status.hpp"
#include "engine/status_file.hpp"
#include "support/usage_error.hpp"

namespace jobs {

/// A result failed --verify. what() names the failed check. The exit status is 1.
struct verification_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Thread safety: only the thread of the job may use it. Lifetime: the cluster must outlive it.
class job_run {
 public:
  /// Opens the journal, if there is one. `subject` is the identity of the run in it; `job` is the name of the job, for messages.
  /// Throws: usage_error if the journal belongs to another run or cannot be opened.
  job_run(rankpool::cluster& cluster, run_settings settings, std::string job, const std::string& subject);

  const run_settings& settings() const { return settings_; }
  bool verifies() const { return settings_.verify; }

  rankpool::cluster& cluster() { return cluster_; }
  /// Returns the executor with --workers and --journal. It starts at the first call.
  rankpool::executor& pool();
  /// Returns the options of pool(), for a job that needs several executors.
  rankpool::executor_options executor_options() const;
  /// Returns an executor without a journal, for tasks whose results must not be restored.
  rankpool::executor pool_without_journal() const;

  /// Returns the number of workers by which work is divided: that of pool(), or that of the first run with the journal. A job must
  /// divide its work by this number only, so that a resumed run has the same tasks.
  int workers();
  /// Returns --chunksize, or `own_choice` if it was not given.
  template <class Integer>
  Integer chunksize_or(Integer own_choice) const {
    return chunksize_ > 0 ? static_cast<Integer>(chunksize_) : own_choice;
  }
  long long chunksize() const { return chunksize_; }
  /// Returns the value of an option that decides how work is divided: `value`, or that of the first run with the journal.
  std::string divided_as(const std::string& option, const std::string& value);
  /// Returns a random number that is the same in all runs with the journal.
  std::uint64_t seed();
  /// Returns how many tasks may be submitted before their results are taken: 16 per worker, but fewer if results of `result_bytes`
  /// would exceed 256 MiB on rank 0; at least one more than there are workers.
  int tasks_in_flight(std::size_t result_bytes = 0);

  bool has_journal() const { return !settings_.resumable.journal.empty(); }
  const std::string& journal_name() const { return settings_.resumable.journal; }
  const rankpool::journal& journal() const { return journal_; }
  /// Checks that an input file of workers is unchanged since the first run with the journal. Throws: usage_error.
  void expect_unchanged(const std::string& path);

  /// Returns the output: stdout or --output. The engine calls output::finish(). Throws: output_error.
  output& out();
  /// Returns the report, to which a job adds figures for --json.
  run_report& report() { return report_; }
  progress& shown() { return shown_; }
  /// Announces the number of items of all calls, for progress; with --verify, `checks` more.
  void expect_tasks(std::uint64_t tasks, std::uint64_t checks = 0) { shown_.expect(tasks + (verifies() ? checks : 0)); }
  /// Sets the exit status of a run that ends without an exception (default 0).
  void set_exit_status(int status) { exit_status_ = status; }
  int exit_status() const { return exit_status_; }

  /// Returns the failures that --max-failures counts. At the limit, pool() starts no more tasks.
  failure_limit& failures() { return failures_; }
  /// Handles the exception that is being handled, of the task for `item` (such as "F(30)"); the job continues with the other items.
  /// If the task failed, counts and prints the failure, sets the exit status 1, and returns true. If the task did not run because
  /// of the limit, returns false; when the job has ended, the engine reports the limit. Throws: the exception, without
  /// --max-failures or if it has another reason.
  bool take_failure(const std::string& item);
  /// Returns whether the job may submit more tasks. False at the limit; the engine then reports that tasks did not run.
  bool may_start_more();
  /// Passes each result of a map to `take(index, result)`, and each exception to take_failure(name(index)). Throws: what these
  /// throw.
  template <class Results, class Take, class Name>
  void take_each(Results&& results, Take take, Name name) {
    std::size_t index = 0;
    for (auto next = results.begin(); next != results.end(); ++next, ++index) {
      std::remove_reference_t<decltype(*next)>* result = nullptr;
      try {
        result = &*next;
      } catch (...) {
        take_failure(name(index));
      }
      if (result != nullptr) take(index, *result);
    }
  }

  /// Prints a line on stderr, except with --quiet.
  void note(const std::string& text) const;
  /// Prints a decision and its reason on stderr, with --verbose.
  void explain(const std::string& decision) const;
  /// Records a check of the result. --verbose and --json show `statement`. Throws: verification_error if
  /// `holds` is false.
  void verified(bool holds, const std::string& statement);
  /// Does the same for results of which some may have failed. Unless all are verified, prints how many are, except with --quiet.
  void verified(bool holds, const std::string& statement, const checked_results& results);

  // The engine calls these before and after job::run(). A job calls finish() or fail() itself only if it ends the process.

  /// Returns whether the error comes from --max-failures: a task was not started because the limit was reached.
  bool is_cut_off_by(const std::exception& error) const;
  /// Returns whether take_failure() or may_start_more() has found that the limit kept tasks from running.
  bool is_cut_off() const { return is_cut_off_; }
  /// Returns the line about a run that the limit has cut off. Blocks: until the running tasks have finished.
  std::string summary_of_limit();
  /// Returns the line about a run that `error`, the failure of a task, has ended although --max-failures allows failures; otherwise
  /// empty.
  std::string summary_of_failure(const std::exception& error);

  /// Starts progress, and with --json the report, and with --status that file. `parameters` is a JSON object. Throws: output_error.
  void start(const std::string& parameters);
  /// Finishes out(), ends the pool, and finishes the report. A second call does nothing. Throws: output_error.
  void finish();
  /// Ends the pool after an error, without the tasks that have not started; removes an unfinished output, and finishes the report
  /// with the error.
  void fail(run_report::ending how, const std::string& error);

 private:
  void finish_report(run_report::ending how, const std::string& error);
  progress::pool_counts pool_counts() const;
  int workers_in_use() const;
  run_status status(run_status::stage stage, const std::string& error);
  std::string summary(const std::string& option);

  rankpool::cluster& cluster_;
  run_settings settings_;
  const std::string job_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  const std::chrono::system_clock::time_point begin_time_ = std::chrono::system_clock::now();
  rankpool::journal journal_;
  long long chunksize_ = 0;
  int exit_status_ = 0;
  bool is_finished_ = false;
  bool is_cut_off_ = false;
  run_report report_;
  progress shown_;
  std::optional<rankpool::executor> pool_;
  failure_limit failures_;     // destroyed before the pool, which it may shut down
  std::optional<output> out_;  // destroyed before the pool, because its destructor may wait for tasks
  std::optional<status_file> status_;
};

}  // namespace jobs
