// The output of --json: one object with the parameters, the results and the costs of a run.
//
// {"job": "primes", "parameters": {"to": 100000000000, ...}, "lines": ["..."], "result": {"count": 4118054813}, "verified": "...",
//  "status": "done", "wall_seconds": 7.8, "cpu_seconds": 15.5, "tasks": 32, "restored": 0, "workers": 2, "workers_lost": 0,
//  "tasks_lost": 0}
//
// `lines` are the lines that the job prints without --json; they are written at once. Without --json, a report does nothing. A job
// that continues after failed tasks adds "verified_results" and "failed_results" to "verified".
#pragma once

#include <gmpxx.h>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "support/text.hpp"

namespace jobs {

/// How many results of a run --verify has checked, if the run continues after failed tasks.
struct checked_results {
  std::uint64_t verified = 0;
  std::uint64_t failed = 0;     // not computed, because a task failed
  std::uint64_t unchecked = 0;  // computed, but not checked: after --max-failures, no check starts
  std::string noun = "result";  // what the job calls a result

  bool are_all_verified() const { return failed + unchecked == 0; }
  /// Returns "2 of 3 results, 1 failed".
  std::string text() const;
};

class run_report {
 public:
  explicit run_report(int descriptor = 1) : descriptor_(descriptor) {}

  /// Begins the report; `parameters` is a JSON object. Throws: output_error (stdout).
  void start(std::string_view job, std::string_view parameters);
  bool is_started() const { return started_; }

  /// Adds text of results, in parts that may end within a line. Each line becomes a string. Throws: output_error.
  void add_lines(std::string_view text);

  /// Adds a figure of the result.
  template <std::integral Integer>
  void add(std::string_view key, Integer value) {
    text_builder text;
    text.print(value);
    add_json(key, text.take());
  }
  /// Adds an arbitrary-precision number as a string, so that other programs read all its digits.
  void add(std::string_view key, const mpz_class& value) { add(key, std::string_view(value.get_str())); }
  void add(std::string_view key, double value);
  void add(std::string_view key, std::string_view text);
  /// Adds a figure whose `value` is already JSON.
  void add_json(std::string_view key, std::string_view value);

  /// Adds a verification that succeeded.
  void verified(std::string_view how);
  /// Sets the numbers of verified and failed results.
  void checked(const checked_results& results) { checked_ = results; }

  struct costs {
    double wall_seconds = 0;
    double cpu_seconds = 0;  // sum over all ranks
    std::uint64_t tasks = 0;
    std::uint64_t restored = 0;  // tasks restored from the journal
    int workers = 0;
    int workers_lost = 0;
    std::uint64_t tasks_lost = 0;  // which lost workers had; they run again, or fail
  };
  enum class ending { done, failed, stopped };
  /// Completes the report. `error` is the message of a run that failed. Throws: output_error.
  void finish(const costs& taken, ending how, std::string_view error = {});

 private:
  void write(std::string_view text);

  const int descriptor_;
  bool started_ = false;
  bool finished_ = false;
  bool in_lines_ = false;
  std::string line_;    // the line that is not yet complete
  std::string result_;  // members of the JSON object "result"
  std::string checks_;
  std::optional<checked_results> checked_;
};

}  // namespace jobs
