// What makes a run stop before its end: signals, and a time. For run_options::stop_on_signal and stop_at.
#pragma once

#include <rankpool/cluster.hpp>
#include <rankpool/options.hpp>

#include <chrono>
#include <optional>
#include <thread>

namespace rankpool::detail {

/// From now on the first SIGINT, SIGTERM or SIGUSR1 that this process gets is left to its stop_watch, if it has one; the second
/// ends the process.
void take_stop_signals(const run_options& options);

/// While it lives, such a signal, or the time, stops the cluster; what still runs after the grace is given up.
class stop_watch {
 public:
  stop_watch(cluster& c, const run_options& options);
  ~stop_watch();
  stop_watch(const stop_watch&) = delete;
  stop_watch& operator=(const stop_watch&) = delete;

 private:
  void watch(cluster& c, std::optional<std::chrono::system_clock::time_point> until);

  const std::chrono::nanoseconds grace_;
  int end_ = -1;  // an eventfd
  std::thread thread_;
};

}  // namespace rankpool::detail
