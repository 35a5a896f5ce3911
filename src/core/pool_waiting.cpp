// Who drives the pool, and who sleeps.
//
// A thread that waits drives, if no other does; the progress thread drives while nobody waits; a submit that finds
// the progress thread asleep sends its task itself. All of it is here so that the rest of the pool need not care.
#include "pool.hpp"

#include <algorithm>
#include <utility>

namespace rankpool::detail {

using namespace std::chrono_literals;

namespace {

constexpr auto caller_returns_within = 1ms;  // from one result to the next

constexpr auto progress_gives_way_within = 1ms;  // it looks whether it should every few microseconds

constexpr std::chrono::nanoseconds shortest_doze = 100us;  // a sleep costs some microseconds
constexpr std::chrono::nanoseconds longest_doze = 1ms;

}  // namespace

void pool::notify() {
  if (driver_.load() == std::this_thread::get_id()) {
    announce_ = true;  // once for all that this step completes
    return;
  }
  {
    std::lock_guard lock(waiting_mutex_);
    ++announcements_;
  }
  changed_.notify_all();
  if (callers_ > 0) wake();  // the driver may be what is waiting
}

void pool::announce() {
  if (!std::exchange(announce_, false)) return;
  {
    std::lock_guard lock(waiting_mutex_);
    ++announcements_;
  }
  changed_.notify_all();
}

std::uint64_t pool::announcements() {
  std::lock_guard lock(waiting_mutex_);
  return announcements_;
}

bool pool::wait_for(steady_time deadline, condition_ref ready) {
  while (!ready()) {
    if (deadline != steady_time::max() && std::chrono::steady_clock::now() >= deadline) return false;
    if (driver_.load() == std::this_thread::get_id()) {  // a callback, or a task that runs inline, waits
      try {
        if (!step()) link_->wait(std::min(deadline, std::chrono::steady_clock::now() + 10ms));
      } catch (...) {  // not the callback's fault
        fail(std::current_exception());
      }
      continue;
    }
    const std::uint64_t seen = announcements();
    callers_.fetch_add(1);
    {
      std::unique_lock lock(driving_, std::try_to_lock);
      if (const auto driver = driver_.load(); !lock && (driver == progress_id_ || driver == std::thread::id())) {
        (void)lock.try_lock_for(progress_gives_way_within);
      }
      if (lock && link_ != nullptr) {
        drive_until(deadline, ready);
      } else {
        if (lock) lock.unlock();
        sleep_until(deadline, ready, seen);
      }
    }
    release_caller();
  }
  return true;
}

// Hands over to another caller, or to the progress thread. That one looks by itself now and then while callers come
// and go, so that a row of quick results costs no wake-ups; it must be told only once it has lain down.
void pool::release_caller() {
  drives_.fetch_add(1, std::memory_order_relaxed);
  const bool last = callers_.fetch_sub(1) == 1;
  if (!options_.progress_thread || !last) notify();
  if (last && progress_parked_) {
    {
      std::lock_guard lock(waiting_mutex_);
    }
    callers_gone_.notify_all();
  }
}

void pool::sleep_until(steady_time deadline, condition_ref ready, std::uint64_t seen) {
  std::unique_lock lock(waiting_mutex_);
  if (announcements_ != seen || ready()) return;
  // The driver tells when something completes; now and then, see whether there still is a driver.
  changed_.wait_until(lock, std::min(deadline, std::chrono::steady_clock::now() + 10ms));
}

// As long as every worker has twice that much to do, messages may gather: each would take a core away from a worker.
std::chrono::nanoseconds pool::time_to_doze(steady_time now) {
  if (ended_ || link_->transferring() || link_->unread() || scheduler_.any_idle() || inbox_has_some()) return 0ns;
  const auto doze = std::min<std::chrono::nanoseconds>(scheduler_.quiet_for(now) / 2, longest_doze);
  return doze < shortest_doze ? 0ns : doze;
}

std::optional<pool::rest> pool::rest_after(bool moved, std::uint32_t seen, const std::atomic<int>& give_way, steady_time now) {
  if (moved) {
    const auto doze = time_to_doze(now);
    return doze > 0ns ? std::optional(rest{true, now + doze}) : std::nullopt;
  }
  if (link_->look(seen, give_way, scheduler_.quiet_for(now))) return std::nullopt;
  const rest r{false, scheduler_.next_check(now).value_or(now + 100ms)};
  return link_->prepare_sleep(seen) ? std::optional(r) : std::nullopt;
}

// From any thread, without the right to drive.
void pool::take(const rest& r, std::uint32_t seen, steady_time deadline) {
  const auto until = std::min(r.until, deadline);
  r.dozes ? link_->doze(seen, until) : link_->sleep(seen, until);
}

void pool::drive_until(steady_time deadline, condition_ref ready) {
  static const std::atomic<int> nobody = 0;
  const driver_mark mark(driver_);
  try {
    while (!ready() && link_ != nullptr) {
      const std::uint32_t seen = link_->rings();
      const bool moved = step();
      if (ready() || link_ == nullptr) return;
      const auto now = std::chrono::steady_clock::now();
      if (now >= deadline) return;                      // also where there is always something to do
      if (!moved && !options_.progress_thread) return;  // inline: what is not done now waits for another thread
      if (const auto r = rest_after(moved, seen, nobody, now)) take(*r, seen, deadline);
    }
  } catch (...) {
    fail(std::current_exception());
  }
}

void pool::poll() {
  if (options_.progress_thread) return;
  std::unique_lock lock(driving_, std::try_to_lock);
  if (!lock || link_ == nullptr) return;
  const driver_mark mark(driver_);
  try {
    (void)step();
  } catch (...) {
    fail(std::current_exception());
  }
}

void pool::settle() {
  if (options_.progress_thread || driver_.load() == std::this_thread::get_id()) return;
  std::unique_lock lock(driving_, std::try_to_lock);
  if (!lock || link_ == nullptr) return;
  const driver_mark mark(driver_);
  try {
    while (step()) {
    }
  } catch (...) {
    fail(std::current_exception());
  }
}

// The short way of a task from submit() to its worker: on this thread, without waking another. Nothing that could
// call back into the user's code is done here.
void pool::send_now() {
  std::unique_lock lock(driving_, std::try_to_lock);
  if (!lock || link_ == nullptr || ended_) {
    lock = {};
    wake();
    return;
  }
  {
    const driver_mark mark(driver_);
    effects out;
    try {
      (void)take_events(out);
      scheduler_.dispatch(std::chrono::steady_clock::now(), out);
      send_orders(out);
      queue_deliveries(out);
    } catch (...) {
      queue_deliveries(out);
      fail(std::current_exception());
    }
  }
  const bool more = announce_ || !deliveries_.empty() || inbox_has_some() || link_->transferring() || !link_->peers_ring() ||
                    scheduler_.next_check(std::chrono::steady_clock::now()).has_value();
  lock.unlock();
  if (more) wake();
  if (callers_ > 0) notify();  // somebody wanted to drive meanwhile
}

void pool::progress() {
  progress_id_ = std::this_thread::get_id();
  std::uint64_t seen_drives = 0;
  try {
    while (!leaving_) {
      if (const auto drives = drives_.load(std::memory_order_relaxed); drives != seen_drives) {  // a caller was here just now
        seen_drives = drives;
        std::unique_lock lock(waiting_mutex_);
        callers_gone_.wait_for(lock, caller_returns_within, [this] { return leaving_.load(); });
        continue;
      }
      if (callers_ > 0) {
        std::unique_lock lock(waiting_mutex_);
        progress_parked_ = true;
        callers_gone_.wait_for(lock, 100ms, [this] { return leaving_ || callers_ == 0; });
        progress_parked_ = false;
        continue;
      }
      std::unique_lock lock(driving_);
      if (callers_ > 0) continue;
      const std::uint32_t seen = link_->rings();
      std::optional<rest> r;
      {
        const driver_mark mark(driver_);
        const bool moved = step();
        r = rest_after(moved, seen, callers_, std::chrono::steady_clock::now());
      }
      lock.unlock();
      if (r) take(*r, seen);
    }
  } catch (...) {
    const std::lock_guard lock(driving_);
    const driver_mark mark(driver_);
    fail(std::current_exception());
  }
}

}  // namespace rankpool::detail
