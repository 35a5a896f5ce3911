#include "engine/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace jobs {
namespace {

using namespace std::chrono_literals;

constexpr auto between_lines = 10s;
constexpr auto before_bar = 1s;
constexpr auto between_bars = 200ms;
constexpr double smoothed_seconds = 10;
constexpr double smoothed_tasks = 5;  // of each worker
constexpr std::size_t wide_columns = 100;
const std::string clear_line = "\r\x1b[K";

void print(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

}  // namespace

void progress::start(std::string job, std::function<pool_counts()> pool) {
  job_ = std::move(job);
  pool_ = std::move(pool);
  begin_ = std::chrono::steady_clock::now();
}

void progress::show() {
  on_terminal_ = ::isatty(STDERR_FILENO) == 1;
  thread_ = std::thread([this] { on_terminal_ ? show_bar() : show_lines(); });
}

void progress::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stops_.notify_one();
  thread_.join();
}

void progress::make_way() {
  if (!on_terminal_) return;
  const std::lock_guard lock(mutex_);
  if (std::exchange(bar_is_there_, false)) print(clear_line);
}

std::optional<std::uint64_t> progress::left(std::uint64_t done) {
  const std::lock_guard lock(mutex_);
  if (counts_itself_ || counts_.expected < done || counts_.expected == 0) return std::nullopt;
  return counts_.expected - done;
}

run_figures progress::figures() {
  const pool_counts pool = pool_();  // without the lock, because counting must not wait for it
  const std::lock_guard lock(mutex_);
  run_figures now{.done = counts_itself_ ? counts_.done : pool.tasks + pool.restored,
                  .total = counts_.expected,
                  .failed = failed_.load(std::memory_order_relaxed),
                  .restored = pool.restored,
                  .retried = pool.retries + retried_.load(std::memory_order_relaxed),
                  .workers_lost = pool.workers_lost};
  now.elapsed_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  const auto computed = static_cast<double>(now.done - std::min(now.done, now.restored));
  const double seconds_per_task = pool.workers * now.elapsed_seconds / std::max(computed, 1.0);
  const double span = std::max(smoothed_seconds, smoothed_tasks * seconds_per_task);
  rate_.update(now.elapsed_seconds, computed, span);
  busy_.update(now.elapsed_seconds, pool.busy_seconds, span);
  now.rate = rate_.per_second();
  now.busy_share = std::min(1.0, busy_.per_second() / std::max(1, pool.workers - pool.workers_lost));
  if (now.total > now.done && now.rate > 0) now.remaining_seconds = static_cast<double>(now.total - now.done) / now.rate;
  return now;
}

// Blocks: for at most `time`. Returns false once stop() was called.
bool progress::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !stops_.wait_for(lock, time, [this] { return stopping_; });
}

void progress::show_lines() {
  while (wait(between_lines)) print("rankpool " + job_ + ": " + progress_text(figures()) + "\n");
}

void progress::show_bar() {
  if (!wait(before_bar)) return;
  do {
    const run_figures now = figures();
    const std::size_t columns = terminal_columns();
    const std::string bar = progress_bar(now, columns < wide_columns ? 10 : 20);
    const std::string line = fitted(job_ + ' ' + bar + (bar.empty() ? "" : " ") + progress_text(now), columns - 1);
    const std::lock_guard lock(mutex_);
    print(clear_line + line);
    bar_is_there_ = true;
  } while (wait(between_bars));
  make_way();
}

}  // namespace jobs
