// Rank 0 writes to the stdout that the user sees, and not to a pipe that the MPI launcher copies from.
//
// A program started without a launcher starts one itself, and Open MPI's then stands between rank 0 and stdout: it copies
// at some 70 MB/s, takes a full disk for success, and crashes when the reader goes away. So the process that the user
// started lends its stdout to rank 0, over a local socket, which passes the open file itself.
#pragma once

#include <atomic>
#include <thread>

namespace rankpool::detail {

/// Lives in the process that the user started, while it runs its launcher.
class stdout_lender {
 public:
  /// Sets RANKPOOL_STDOUT for the processes started from here on. Does nothing where there are no local sockets.
  stdout_lender();
  ~stdout_lender();
  stdout_lender(const stdout_lender&) = delete;
  stdout_lender& operator=(const stdout_lender&) = delete;

  /// Whether rank 0 could have come for stdout, as it does once all ranks are up, but has not.
  bool nobody_came() const { return lending_.joinable() && !lent_; }

 private:
  int listener_ = -1;
  std::atomic<bool> lent_ = false;
  std::thread lending_;
};

/// On rank 0: makes the lent stdout this process's own. Without a lender, as under the user's own mpirun, or if the
/// lender is on another node, nothing changes.
void borrow_stdout();

}  // namespace rankpool::detail
