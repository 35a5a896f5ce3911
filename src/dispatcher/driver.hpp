// Which thread drives the pool, and which threads sleep.
//
// Exactly one thread at a time drives. A thread that waits for a result drives if no other does, which saves the switch to
// another thread and back. On ranks, the progress thread drives while no thread waits, so that tasks flow while the program
// computes or sleeps. A submit that finds no driver and an idle worker sends its task itself. Callbacks run on the driving
// thread, hold no lock, and may call anything.
#pragma once

#include "dispatcher/announcer.hpp"
#include "dispatcher/lifecycle.hpp"
#include "dispatcher/stepper.hpp"
#include "transport/transport.hpp"

#include <rankpool/detail/dispatcher/wait_room.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

namespace rankpool::detail {

struct driver_options {
  bool progress_thread = true;  ///< false: threads that wait for results drive the pool
  steady_time (*now)() = &std::chrono::steady_clock::now;
};

class driver final : public wait_room {
 public:
  /// `link`, `pool` and `waiting` must live until detach() has returned, `life` as long as the driver.
  driver(transport& link, stepper& pool, announcer& waiting, const lifecycle& life, driver_options options);
  /// Detaches.
  ~driver() override;

  /// Ends the progress thread and the use of the transport, which must not outlive MPI. The inbox is closed, and its last
  /// events are delivered. Blocks: until the thread that drives has finished its step.
  void detach();
  /// As detach(), from an exit handler: other threads of the program never return from a wait, and no thread drives any more.
  /// Blocks: until the deadline at most. False: a thread is still in a callback, or in the transport.
  bool detach_for_exit(steady_time deadline);
  /// Blocks: until is_over() or the deadline. Drives meanwhile only if the calling thread is the driver already.
  void wait_for_exit(steady_time deadline);

  /// An event was posted to the inbox. `is_first`: it was empty.
  void on_posted(bool is_submit, bool is_first);

  /// The calling thread drives the pool: it is in a callback, or in a task that runs inline.
  bool is_driven_by_caller() const { return driver_.load() == std::this_thread::get_id(); }

  // ---- wait_room
  void notify() override;
  void poll() override;
  void settle() override;

 private:
  class mark;

  // How the driver waits after a step. It decides this before another thread may drive.
  struct rest {
    bool is_doze = false;  // else it sleeps
    steady_time until;
  };

  bool wait_for(steady_time deadline, condition_ref ready) override;
  void drive_until(steady_time deadline, condition_ref ready);
  bool step_or_fail();
  std::optional<rest> rest_after(bool moved, std::uint32_t seen, const std::atomic<int>& give_way, steady_time now);
  std::chrono::nanoseconds time_to_doze(steady_time now) const;
  bool rest_inline(std::uint32_t seen, steady_time deadline);
  void take(const rest& r, std::uint32_t seen, steady_time deadline = steady_time::max());

  void send_now();
  void wake(bool lets_doze = false);
  void stay_during_exit() const;
  void release_caller();
  void leave_progress_thread();
  void release_transport();
  void progress();

  transport* link_;  // null once detached; changed by the driver with wake_mutex_ held
  std::mutex wake_mutex_;
  stepper& pool_;
  announcer& waiting_;
  const lifecycle& life_;
  const driver_options options_;

  std::timed_mutex driving_;  // held by the driver
  std::atomic<std::thread::id> driver_;
  std::atomic<int> callers_ = 0;           // threads that wait and want to drive
  std::atomic<std::uint64_t> drives_ = 0;  // by callers

  std::mutex parking_mutex_;
  std::condition_variable callers_gone_;  // for the progress thread
  std::atomic<bool> is_parked_ = false;   // the progress thread, until no caller drives
  std::atomic<bool> is_leaving_ = false;
  std::atomic<bool> progress_rests_ = false;  // in take(), which uses the transport without the right to drive
  std::atomic<std::thread::id> progress_id_;
  std::thread progress_thread_;
};

}  // namespace rankpool::detail
