#include "dispatcher/driver.hpp"

#include <algorithm>
#include <utility>

namespace rankpool::detail {

using namespace std::chrono_literals;

namespace {

constexpr auto caller_returns_within = 1ms;     // from one result to the next
constexpr auto progress_yields_within = 1ms;    // it looks whether it should every few microseconds
constexpr auto driver_is_checked_every = 10ms;  // by threads that wait for another one to drive
constexpr auto longest_rest = 100ms;

constexpr std::chrono::nanoseconds shortest_doze = 100us;  // a sleep costs some microseconds
constexpr std::chrono::nanoseconds longest_doze = 1ms;

}  // namespace

// The calling thread is the driver; driving_ is held.
class driver::mark {
 public:
  explicit mark(driver& d) : driver_(d.driver_) { driver_ = std::this_thread::get_id(); }
  mark(const mark&) = delete;
  mark& operator=(const mark&) = delete;
  ~mark() { driver_ = std::thread::id(); }

 private:
  std::atomic<std::thread::id>& driver_;
};

driver::driver(transport& link, stepper& pool, announcer& waiting, const lifecycle& life, driver_options options)
    : link_(&link), pool_(pool), waiting_(waiting), life_(life), options_(options) {
  if (options_.progress_thread) progress_thread_ = std::thread([this] { progress(); });
}

driver::~driver() { detach(); }

// ---- notices

void driver::notify() {
  if (is_driven_by_caller()) {
    waiting_.defer();
    return;
  }
  waiting_.announce();
  if (callers_ > 0) wake();  // the thread that drives may be the one that waits for this
}

void driver::on_posted(bool is_submit, bool is_first) {
  if (!options_.progress_thread) {
    notify();                                                       // a waiting thread may drive
  } else if ((is_first || !is_submit) && !is_driven_by_caller()) {  // the driver itself looks at its next step
    if (is_submit && pool_.has_idle_worker() && callers_ == 0 && driver_.load() == std::thread::id()) {
      send_now();
    } else {
      wake(is_submit && !pool_.has_idle_worker());
    }
  }
}

// `lets_doze`: what has come can wait until a doze ends.
void driver::wake(bool lets_doze) {
  std::lock_guard lock(wake_mutex_);
  if (link_ == nullptr) return;
  lets_doze ? link_->nudge() : link_->wake();
}

// ---- waiting threads

bool driver::wait_for(steady_time deadline, condition_ref ready) {
  while (!ready()) {
    stay_during_exit();
    if (deadline != steady_time::max() && options_.now() >= deadline) return false;
    if (is_driven_by_caller()) {  // a callback, or a task that runs inline, waits
      try {
        if (link_ == nullptr) return false;
        if (!pool_.step()) link_->wait(std::min(deadline, options_.now() + driver_is_checked_every));
      } catch (...) {  // not the callback's fault
        pool_.fail(std::current_exception());
      }
      continue;
    }
    const std::uint64_t seen = waiting_.count();
    callers_.fetch_add(1);
    {
      std::unique_lock lock(driving_, std::try_to_lock);
      if (const auto other = driver_.load(); !lock && (other == progress_id_ || other == std::thread::id())) {
        (void)lock.try_lock_for(progress_yields_within);
      }
      if (lock && link_ != nullptr) {
        drive_until(deadline, ready);
      } else {
        if (lock) lock.unlock();
        // The driver announces what completes; now and then, see whether there still is a driver.
        waiting_.wait(seen, std::min(deadline, options_.now() + driver_is_checked_every), ready);
      }
    }
    release_caller();
  }
  stay_during_exit();
  return true;
}

// Hands over to another caller, or to the progress thread. While callers come and go, the progress thread checks from time to time
// whether one drives, so that a series of quick results costs no wake-ups. Only a parked progress thread must be woken.
void driver::release_caller() {
  drives_.fetch_add(1, std::memory_order_relaxed);
  const bool is_last = callers_.fetch_sub(1) == 1;
  if (!options_.progress_thread || !is_last) notify();
  if (is_last && is_parked_) {
    { std::lock_guard lock(parking_mutex_); }
    callers_gone_.notify_all();
  }
}

// Blocks the calling thread if another thread is in std::exit(): it would use objects that are being destroyed. A thread in a
// callback must continue, because it drives the pool.
void driver::stay_during_exit() const {
  if (!life_.is_exiting_on_another_thread() || is_driven_by_caller()) return;
  for (;;) std::this_thread::sleep_for(1h);
}

// ---- driving

void driver::drive_until(steady_time deadline, condition_ref ready) {
  static const std::atomic<int> no_callers = 0;
  const mark is_driver(*this);
  try {
    while (!ready() && link_ != nullptr) {
      const std::uint32_t seen = link_->rings();
      const bool moved = pool_.step();
      if (ready() || link_ == nullptr) return;
      const auto now = options_.now();
      if (now >= deadline) return;  // also where there is always something to do
      if (!moved && !options_.progress_thread) {
        if (!rest_inline(seen, deadline)) return;
        continue;
      }
      if (const auto r = rest_after(moved, seen, no_callers, now)) take(*r, seen, deadline);
    }
  } catch (...) {
    pool_.fail(std::current_exception());
  }
}

std::chrono::nanoseconds driver::time_to_doze(steady_time now) const {
  // While every worker has work for twice that time, messages may gather. Each message would take a core away from a worker.
  const auto doze = std::min<std::chrono::nanoseconds>(pool_.may_gather_for(now) / 2, longest_doze);
  return doze < shortest_doze ? 0ns : doze;
}

std::optional<driver::rest> driver::rest_after(bool moved, std::uint32_t seen, const std::atomic<int>& give_way, steady_time now) {
  if (moved) {
    const auto doze = time_to_doze(now);
    return doze > 0ns ? std::optional(rest{true, now + doze}) : std::nullopt;
  }
  if (link_->look(seen, give_way, pool_.expected(now))) return std::nullopt;
  const rest r{false, pool_.next_check(now).value_or(now + longest_rest)};
  return link_->prepare_sleep(seen) ? std::optional(r) : std::nullopt;
}

// Any thread may call it; it need not be the driver.
void driver::take(const rest& r, std::uint32_t seen, steady_time deadline) {
  const auto until = std::min(r.until, deadline);
  r.is_doze ? link_->doze(seen, until) : link_->sleep(seen, until);
}

// False: there was nothing to do, or the step has failed.
bool driver::step_or_fail() {
  try {
    return pool_.step();
  } catch (...) {
    pool_.fail(std::current_exception());
    return false;
  }
}

void driver::poll() {
  if (options_.progress_thread) return;
  std::unique_lock lock(driving_, std::try_to_lock);
  if (!lock || link_ == nullptr) return;
  const mark is_driver(*this);
  (void)step_or_fail();
}

void driver::settle() {
  if (options_.progress_thread || is_driven_by_caller()) return;
  std::unique_lock lock(driving_, std::try_to_lock);
  if (!lock || link_ == nullptr) return;
  const mark is_driver(*this);
  while (link_ != nullptr && (step_or_fail() || rest_inline(link_->rings(), steady_time::max()))) {
  }
}

// Inline, what is not done now waits for another thread, except what runs again after a delay. Returns whether there is any; then
// it has slept for a part of the delay.
bool driver::rest_inline(std::uint32_t seen, steady_time deadline) {
  const auto next = link_ == nullptr ? std::nullopt : pool_.next_check(options_.now());
  if (!next) return false;
  link_->sleep(seen, std::min(*next, deadline));
  return true;
}

// The short path of a task from submit() to its worker: on this thread, without waking another.
void driver::send_now() {
  std::unique_lock lock(driving_, std::try_to_lock);
  if (!lock || link_ == nullptr || life_.has_ended()) {
    lock = {};
    wake();
    return;
  }
  bool has_more = true;
  {
    const mark is_driver(*this);
    try {
      has_more = pool_.send_submitted();
    } catch (...) {
      pool_.fail(std::current_exception());
    }
  }
  lock.unlock();
  if (has_more) wake();
  if (callers_ > 0) notify();  // a thread has wanted to drive meanwhile
}

void driver::progress() {
  progress_id_ = std::this_thread::get_id();
  std::uint64_t seen_drives = 0;
  try {
    while (!is_leaving_) {
      if (const auto drives = drives_.load(std::memory_order_relaxed); drives != seen_drives) {  // a caller was here just now
        seen_drives = drives;
        std::unique_lock lock(parking_mutex_);
        callers_gone_.wait_for(lock, caller_returns_within, [this] { return is_leaving_.load(); });
        continue;
      }
      if (callers_ > 0) {
        std::unique_lock lock(parking_mutex_);
        is_parked_ = true;
        callers_gone_.wait_for(lock, longest_rest, [this] { return is_leaving_ || callers_ == 0; });
        is_parked_ = false;
        continue;
      }
      std::unique_lock lock(driving_);
      if (callers_ > 0 || is_leaving_) continue;
      const std::uint32_t seen = link_->rings();
      std::optional<rest> r;
      {
        const mark is_driver(*this);
        const bool moved = pool_.step();
        r = rest_after(moved, seen, callers_, options_.now());
      }
      progress_rests_ = r.has_value();
      lock.unlock();
      if (r) take(*r, seen);
      progress_rests_ = false;
    }
  } catch (...) {
    const std::lock_guard lock(driving_);
    const mark is_driver(*this);
    pool_.fail(std::current_exception());
  }
}

// ---- the end

void driver::leave_progress_thread() {
  {
    std::lock_guard lock(parking_mutex_);
    is_leaving_ = true;
  }
  callers_gone_.notify_all();
  wake();
}

// By the driver.
void driver::release_transport() {
  if (link_ == nullptr) return;
  pool_.close();
  std::lock_guard lock(wake_mutex_);
  link_ = nullptr;
}

void driver::detach() {
  leave_progress_thread();
  if (progress_thread_.joinable()) progress_thread_.join();
  const std::lock_guard lock(driving_);
  const mark is_driver(*this);
  release_transport();
}

void driver::wait_for_exit(steady_time deadline) {
  auto is_over = [this] { return life_.is_over(); };
  if (is_driven_by_caller()) {
    (void)wait_until(deadline, is_over);
    return;
  }
  while (!is_over() && options_.now() < deadline) {  // this thread ends the process; the progress thread drives
    const std::uint64_t seen = waiting_.count();
    waiting_.wait(seen, std::min(deadline, options_.now() + driver_is_checked_every), is_over);
  }
}

bool driver::detach_for_exit(steady_time deadline) {
  leave_progress_thread();
  const bool drives = is_driven_by_caller();
  std::unique_lock lock(driving_, std::defer_lock);
  if (!drives && !lock.try_lock_until(deadline)) return false;  // the thread that drives is in a callback
  driver_ = std::this_thread::get_id();
  while (progress_rests_) {
    if (options_.now() >= deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  release_transport();
  driver_ = std::thread::id();
  if (lock) lock.release();  // stays locked, so that no thread drives any more
  return true;
}

}  // namespace rankpool::detail
