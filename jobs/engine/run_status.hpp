// The state of a run as --status writes it and `rankpool top` shows it: one JSON object.
#pragma once

#include <chrono>
#include <cstdint>
#include <rankpool/rankpool.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/run_figures.hpp"

namespace jobs {

/// A text is not the state of a run. what() is the reason, as a part of a sentence: "is not a status file of rankpool".
struct status_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct run_status {
  enum class stage { running, done, failed, stopped };
  struct worker {
    int rank = 0;
    std::string host{};
    bool lost = false;
    std::uint64_t tasks = 0;
    double busy_share = 0;  // of its time since the start, from 0 to 1
    double cpu_seconds = 0;
  };
  /// The workers of a node together.
  struct node {
    std::string host{};
    int workers = 0;
    int workers_lost = 0;
    std::uint64_t tasks = 0;
    double busy_share = 0;
    double cpu_seconds = 0;
  };
  using time_point = std::chrono::system_clock::time_point;

  std::string job{};
  std::vector<std::string> command{};  // the words of the command line
  std::string host{};                  // of rank 0
  int pid = 0;
  time_point started{};
  time_point updated{};
  stage is = stage::running;
  std::string error{};    // why it has failed or was stopped
  run_figures figures{};  // busy_share: of the last seconds while the run goes on, then of the whole run
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;  // memory of rank 0
  std::vector<worker> workers{};
  std::vector<node> nodes{};  // instead of the workers, if these are many

  /// Sets `workers`, or `nodes` if there are more than `most_workers`.
  void set_workers(const std::vector<rankpool::worker_info>& infos, const std::vector<rankpool::worker_statistics>& figures,
                   std::size_t most_workers = 200);

  /// Returns a JSON object that ends with a newline.
  std::string to_json() const;
  /// Throws: status_error.
  static run_status parse(std::string_view json);
  /// Returns whether the text is a state of a run, in whatever format version.
  static bool is_status(std::string_view json);
};

/// Returns the name of a stage, such as "running".
std::string_view name_of(run_status::stage stage);

}  // namespace jobs
