#include "engine/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

namespace jobs {
namespace {

using namespace std::chrono_literals;

constexpr auto between_lines = 10s;
constexpr auto before_bar = 1s;
constexpr auto between_bars = 200ms;
const std::string clear_line = "\r\x1b[K";

std::string grouped(std::uint64_t n) {
  const std::string digits = std::to_string(n);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string clock_text(double seconds) {
  const auto s = static_cast<long long>(std::llround(seconds));
  std::array<char, 40> text{};
  if (s < 3600) {
    (void)std::snprintf(text.data(), text.size(), "%lld:%02lld", s / 60, s % 60);
  } else {
    (void)std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  }
  return text.data();
}

std::string rate_text(double per_second) {
  std::array<char, 40> text{};
  if (per_second >= 100) return grouped(static_cast<std::uint64_t>(per_second)) + "/s";
  (void)std::snprintf(text.data(), text.size(), "%.2g/s", per_second);
  return text.data();
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

}  // namespace

std::string progress::text(std::uint64_t done, std::uint64_t expected, std::uint64_t failed, std::chrono::duration<double> passed) {
  std::string text = grouped(done);
  if (counts{done, expected}.has_total()) text += " of " + grouped(expected);
  text += " done";
  if (failed > 0) text += ", " + grouped(failed) + " failed";
  const double rate = passed.count() > 0 ? static_cast<double>(done) / passed.count() : 0;
  if (done > 0) text += ", " + rate_text(rate);
  text += ", " + clock_text(passed.count()) + " passed";
  if (expected > done && done > 0) text += ", about " + clock_text(static_cast<double>(expected - done) / rate) + " left";
  return text;
}

void progress::start(std::string job, std::function<std::uint64_t()> tasks_done) {
  job_ = std::move(job);
  tasks_done_ = std::move(tasks_done);
  begin_ = std::chrono::steady_clock::now();
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

progress::counts progress::current() {
  const std::uint64_t tasks = tasks_done_();
  const std::lock_guard lock(mutex_);
  return {counts_itself_ ? counts_.done : tasks, counts_.expected};
}

// Blocks: for at most `time`. Returns false once stop() was called.
bool progress::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !stops_.wait_for(lock, time, [this] { return stopping_; });
}

void progress::show_lines() {
  while (wait(between_lines)) {
    const counts now = current();
    print("rankpool " + job_ + ": " + text(now.done, now.expected, failed_, std::chrono::steady_clock::now() - begin_) + "\n");
  }
}

void progress::show_bar() {
  constexpr std::size_t bar_length = 20;
  if (!wait(before_bar)) return;
  do {
    const counts now = current();
    std::string line = job_ + ' ';
    if (now.has_total()) {
      const auto full = std::min<std::size_t>(
          bar_length, static_cast<std::size_t>(static_cast<double>(now.done) / static_cast<double>(now.expected) * bar_length));
      line += '[' + std::string(full, '#') + std::string(bar_length - full, '.') + "] ";
    }
    line += text(now.done, now.expected, failed_, std::chrono::steady_clock::now() - begin_);
    line.resize(std::min(line.size(), terminal_columns() - 1));
    const std::lock_guard lock(mutex_);
    print(clear_line + line);
    bar_is_there_ = true;
  } while (wait(between_bars));
  make_way();
}

}  // namespace jobs
