// Stops a run early, on a signal or at a time: run_options::stop_on_signal and run_options::stop_at.
#pragma once

#include <rankpool/cluster.hpp>
#include <rankpool/options.hpp>

#include <chrono>
#include <optional>
#include <thread>

namespace rankpool::detail {

/// Installs handlers for SIGINT, SIGTERM and SIGUSR1 if `options.stop_on_signal` is set. The first such signal stops the cluster
/// of this process's stop_monitor, if there is one. A repetition within half a second is ignored. A later signal has its previous
/// action, which by default ends the process. An ignored signal stays ignored. Throws: std::system_error.
void install_stop_signal_handlers(const run_options& options);

/// Stops the cluster on a stop signal or at `options.stop_at`, while the object lives.
class stop_monitor {
 public:
  stop_monitor(cluster& c, const run_options& options);
  ~stop_monitor();
  stop_monitor(const stop_monitor&) = delete;
  stop_monitor& operator=(const stop_monitor&) = delete;

 private:
  void watch(cluster& c, std::optional<std::chrono::system_clock::time_point> until);

  int end_ = -1;  // an eventfd
  std::thread thread_;
};

}  // namespace rankpool::detail
