// Waits for the end of other processes of this node, on a thread of its own.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

namespace rankpool::detail {

class process_watch {
 public:
  enum class event {
    ended,     ///< the process has ended
    replaced,  ///< the process runs another program, because it has called exec()
    stopped,   ///< the process has been stopped for the whole limit, as by SIGSTOP
  };
  /// Called on the thread of the watch, once for each process.
  using listener = std::function<void(pid_t process, event what)>;

  /// Watches the processes from now on. `stopped_limit`: null: a stopped process is not reported. The time in which this process
  /// is itself stopped does not count, so that a whole run can be stopped and continued.
  process_watch(std::vector<pid_t> processes, listener on_event,
                std::optional<std::chrono::nanoseconds> stopped_limit = std::nullopt);
  process_watch(const process_watch&) = delete;
  process_watch& operator=(const process_watch&) = delete;
  /// Ends the watch. Blocks: until the listener has returned, if it is being called.
  ~process_watch();

 private:
  struct watched {
    pid_t process = 0;
    int handle = -1;           // a pidfd; -1: this kernel has none, and the process is looked up again and again
    ino_t program = 0;         // inode of the file that it runs; 0: unknown
    std::int64_t stopped = 0;  // for how many looks in a row
  };

  void run();
  bool look_up(watched& w, bool is_due);
  void report(watched& w, event what);

  const listener on_event_;
  std::int64_t stopped_limit_ = -1;  // in looks; -1: none
  std::vector<watched> watched_;
  bool needs_polling_ = false;  // a process has no handle
  int wake_ = -1;               // an eventfd that ends the thread
  std::thread thread_;
};

}  // namespace rankpool::detail
