// Unit tests of the driver: the pool and the transport are simulated, and time passes only when a thread would sleep.
#include "dispatcher/driver.hpp"
#include "support/catch.hpp"
#include "support/scripted_transport.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace rankpool::detail;
using namespace std::chrono_literals;

std::atomic<steady_time> simulated_clock;
steady_time simulated_now() { return simulated_clock; }
void advance(std::chrono::nanoseconds by) { simulated_clock = simulated_now() + by; }

/// A sleep returns at once and sets the clock to its end. After `max_rests` sleeps, the thread really sleeps until it is woken.
class simulated_transport final : public support::scripted_transport {
 public:
  explicit simulated_transport(std::size_t max_rests = 1000) : max_rests_(max_rests) {}

  std::uint32_t rings() const override { return rings_; }
  bool look(std::uint32_t seen, const std::atomic<int>& give_way, const expectation&) override {
    return rings_ != seen || give_way > 0;
  }
  bool prepare_sleep(std::uint32_t seen) override { return rings_ == seen; }
  void sleep(std::uint32_t seen, steady_time deadline) override { rest(sleeps, seen, deadline); }
  void doze(std::uint32_t seen, steady_time until) override { rest(dozes, seen, until); }
  void wake() override {
    std::lock_guard lock(mutex_);
    ++rings_;
    changed_.notify_all();
  }

  void await_rests() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return sleeps.size() + dozes.size() >= max_rests_; });
  }

  std::vector<std::chrono::nanoseconds> sleeps;
  std::vector<std::chrono::nanoseconds> dozes;

 private:
  void rest(std::vector<std::chrono::nanoseconds>& rests, std::uint32_t seen, steady_time until) {
    std::unique_lock lock(mutex_);
    if (sleeps.size() + dozes.size() < max_rests_) {
      rests.push_back(until - simulated_now());
      simulated_clock = until;
      changed_.notify_all();
      return;
    }
    changed_.wait(lock, [&] { return rings_ != seen; });
  }

  const std::size_t max_rests_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<std::uint32_t> rings_ = 0;
};

class made_up_pool final : public stepper {
 public:
  bool step() override {
    ++steps;
    return on_step ? on_step() : false;
  }
  bool send_submitted() override {
    ++submits;
    sender = std::this_thread::get_id();
    return false;
  }
  void fail(const std::exception_ptr& why) override { failure = why; }
  void close() override { is_closed = true; }
  bool has_idle_worker() const override { return true; }
  std::chrono::nanoseconds may_gather_for(steady_time) const override { return gathering; }
  expectation expected(steady_time) const override { return {}; }
  std::optional<steady_time> next_check(steady_time now) const override {
    return check_after > 0ns ? std::optional(now + check_after) : std::nullopt;
  }

  std::function<bool()> on_step;
  std::atomic<int> steps = 0;
  std::atomic<int> submits = 0;
  std::thread::id sender;
  std::exception_ptr failure;
  bool is_closed = false;
  std::chrono::nanoseconds gathering = 0ns;
  std::chrono::nanoseconds check_after = 0ns;
};

/// A driver with a simulated transport and pool.
struct driven {
  /// Without a progress thread: waiting threads drive progress.
  driven() : with_thread(false) {}
  /// With a progress thread, which really sleeps after `max_rests` simulated sleeps.
  explicit driven(std::size_t max_rests) : link(max_rests), with_thread(true) {}

  void start() { d.emplace(link, pool, waiting, life, driver_options{.progress_thread = with_thread, .now = &simulated_now}); }

  simulated_transport link;
  made_up_pool pool;
  announcer waiting;
  const lifecycle life;
  const bool with_thread;
  std::optional<driver> d;
};

}  // namespace

TEST_CASE("an idle driver sleeps until the next check, or 0.1 s if none is due") {
  driven t(3);
  t.pool.check_after = GENERATE(7ms, 0ms);
  t.start();
  t.link.await_rests();
  t.d->detach();
  CHECK(t.link.dozes.empty());
  REQUIRE(t.link.sleeps.size() == 3);
  for (const auto slept : t.link.sleeps) CHECK(slept == (t.pool.check_after > 0ns ? t.pool.check_after : 100ms));
  CHECK(t.pool.steps >= 3);
  CHECK(t.pool.is_closed);
}

TEST_CASE("while every worker has enough tasks, the driver sleeps for half of their time, at most a millisecond") {
  driven t(3);
  t.pool.on_step = [] { return true; };
  t.pool.gathering = GENERATE(1ms, 8ms);
  t.start();
  t.link.await_rests();
  t.d->detach();
  CHECK(t.link.sleeps.empty());
  for (const auto dozed : t.link.dozes) CHECK(dozed == std::min<std::chrono::nanoseconds>(t.pool.gathering / 2, 1ms));
}

TEST_CASE("a waiting thread returns at its deadline, even if there is always something to do") {
  driven t;
  t.pool.on_step = [] {
    advance(1ms);
    return true;
  };
  t.start();
  CHECK_FALSE(t.d->wait_until(simulated_now() + 5ms, [] { return false; }));
  CHECK(t.pool.steps == 5);
}

TEST_CASE("a waiting thread drives progress until its condition is true") {
  driven t;
  t.start();
  CHECK(t.d->wait_until(steady_time::max(), [&] { return t.pool.steps == 3; }));
  CHECK_FALSE(t.d->is_driven_by_caller());
}

TEST_CASE("a callback that waits drives progress, within the step that has called it") {
  driven t;
  t.start();
  int depth = 0;
  t.pool.on_step = [&] {
    CHECK(t.d->is_driven_by_caller());
    if (++depth > 1) return true;
    CHECK(t.d->wait_until(steady_time::max(), [&] { return t.pool.steps == 4; }));
    return true;
  };
  CHECK(t.d->wait_until(steady_time::max(), [&] { return t.pool.steps >= 4; }));
  CHECK(t.pool.steps == 4);
}

TEST_CASE("the pool fails with the error of a step") {
  driven t;
  t.pool.on_step = []() -> bool { throw std::runtime_error("a broken message"); };
  t.start();
  CHECK(t.d->wait_until(steady_time::max(), [&] { return t.pool.failure != nullptr; }));
  CHECK_THROWS_WITH(std::rethrow_exception(t.pool.failure), "a broken message");
}

TEST_CASE("a submit that finds no driver and an idle worker sends its task on the calling thread") {
  driven t(0);  // the progress thread really sleeps at once
  t.start();
  while (t.pool.submits == 0) t.d->on_posted(true, true);  // until the progress thread sleeps
  CHECK(t.pool.sender == std::this_thread::get_id());
}

TEST_CASE("a detached driver no longer uses its transport, and handles the last events") {
  driven t(0);
  t.start();
  t.d->detach();
  CHECK(t.pool.is_closed);
  const int steps = t.pool.steps;
  t.d->on_posted(true, true);
  t.d->notify();
  t.d->poll();
  CHECK_FALSE(t.d->wait_until(simulated_now() - 1ns, [] { return false; }));
  CHECK(t.pool.steps == steps);
}
