// A run as a report describes it. trace_reader.hpp and journal_data.hpp fill it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "report/activity.hpp"

namespace jobs {

/// A file cannot be read as a trace or a journal.
struct report_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Times are in seconds since the start of the run.
struct run_data {
  struct loss {
    double when = 0;
    std::string cause;
    std::uint64_t tasks = 0;  ///< which it had not finished
  };
  struct worker {
    int rank = 0;
    std::string host;
    std::uint64_t tasks = 0;
    std::uint64_t failed = 0;
    std::uint64_t chunks = 0;
    std::uint64_t recalled = 0;  ///< tasks that ran elsewhere, because it had not started them or was lost
    double busy = 0;
    double cpu = 0;
    double first = 0;  ///< begin of its first task
    double last = 0;   ///< end of its last task
    std::optional<loss> lost{};
  };
  /// Tasks by the time of one. A class reaches up to the lower limit of the next one, or to sqrt(2) times its own.
  using time_classes = std::vector<std::pair<double, std::uint64_t>>;  // lower limit, number of tasks
  struct function {
    std::string name;
    std::uint64_t tasks = 0;
    std::uint64_t failed = 0;
    std::uint64_t chunks = 0;
    double busy = 0;
    time_classes times{};
    std::optional<std::uint64_t> items{};  ///< how many tasks it should have; none: unknown
  };
  struct slow_chunk {
    std::size_t function = 0;
    std::size_t worker = 0;
    std::uint64_t first = 0;  ///< index of its first item in the input
    std::uint64_t tasks = 0;
    double begin = 0;
    double taken = 0;

    double seconds_per_task() const { return taken / static_cast<double>(tasks > 0 ? tasks : 1); }
  };
  struct failure {
    std::size_t function = 0;
    std::size_t worker = 0;
    std::uint64_t item = 0;
    double when = 0;
    std::string error;
    std::string stack;  ///< empty: unknown
  };
  /// What rank 0 did beside the program.
  struct own_work {
    double receiving = 0;
    double scheduling = 0;
    double sending = 0;
    double callbacks = 0;

    double total() const { return receiving + scheduling + sending + callbacks; }
  };
  struct sample {
    double when = 0;
    std::uint64_t at_workers = 0;  ///< tasks
  };

  std::string file;                  // it was read from
  bool is_journal = false;           // it has no times of rank 0, and no pauses between runs
  std::string version;               // of rankpool, empty: unknown
  std::string mpi;                   // likewise
  std::vector<std::string> command;  // likewise
  std::string host;                  // of rank 0, likewise
  std::optional<double> started;     // in seconds since 1970
  bool is_complete = false;          // the file has its end: the run was not killed, and does not run any more
  std::string ending;                // how the run ended, such as "was stopped early"; empty: with status 0, or unknown
  double seconds = 0;                // from start to end
  std::vector<worker> workers;       // by rank
  std::vector<function> functions;
  std::vector<slow_chunk> slowest;  // in descending order
  std::vector<failure> failures;    // the first ones
  std::optional<own_work> rank_0;
  std::vector<sample> samples;
  double most_resident_mib = 0;
  std::uint64_t messages = 0;
  double message_bytes = 0;
  std::uint64_t dropped_events = 0;
  activity when_busy;

  std::uint64_t tasks() const;
  std::uint64_t failed() const;
  std::uint64_t recalled() const;
  std::uint64_t lost_workers() const;
  double busy() const;
  double cpu() const;
  /// Returns the share of the workers' time in tasks, from 0 to 1.
  double busy_share() const;
};

/// Returns the time below which this share of the tasks stays; an estimate from the classes. `share`: from 0 to 1.
double quantile(const run_data::time_classes& times, double share);

}  // namespace jobs
