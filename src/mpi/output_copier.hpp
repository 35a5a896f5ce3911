// Copies the output of ranks from the MPI launcher to this process's stdout or stderr.
//
// mpirun does not write to them directly, because it crashes when their reader closes the pipe, and treats a full disk as success.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <thread>

namespace rankpool::detail {

/// A pipe, and a thread that copies its content to a descriptor.
class output_copier {
 public:
  /// Starts to copy to descriptor `to`, without reports of the launcher if `removes_reports` is true (launcher_report.hpp).
  /// Throws: std::system_error if the process lacks descriptors or threads. Lifetime: `to` must stay open while the object lives.
  explicit output_copier(int to, bool removes_reports = false);
  ~output_copier();
  output_copier(const output_copier&) = delete;
  output_copier& operator=(const output_copier&) = delete;

  /// Returns the descriptor that the launcher writes to. Call close_input() in this process once the launcher has started.
  int input() const;
  void close_input();

  /// Announces that no process writes to the pipe any more. The thread copies the rest, and then finished() becomes readable.
  void finish();
  /// Discards all input from now on.
  void discard();
  /// Returns a descriptor for poll() that is readable once the thread has finished.
  int finished() const;
  /// Returns whether the pipe has no unread output.
  bool is_empty() const;
  /// Returns how much was read from the pipe.
  std::uint64_t copied_bytes() const;
  /// Returns errno of the write that failed, or 0. Input after a failed write is discarded.
  int error() const;

 private:
  struct state;
  static void copy(state& s);
  static void write(state& s, std::string_view text);

  std::shared_ptr<state> state_;  // shared, because the thread outlives this object if it is blocked in a write
  std::thread thread_;
};

}  // namespace rankpool::detail
