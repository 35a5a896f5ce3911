// Defines process_watch with pidfds, and with /proc for what these do not tell.
#include "mpi/process_watch.hpp"

#include "support/process_table.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto look_interval = 1000ms;  // at processes that may be stopped or replaced
constexpr auto interval_without_pidfd = 20ms;

int open_pidfd(pid_t process) {
#ifdef SYS_pidfd_open
  return static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
#else
  (void)process;
  return -1;
#endif
}

// Returns 0 if that is not known.
ino_t program_of(pid_t process) {
  struct stat file {};
  return ::stat(("/proc/" + std::to_string(process) + "/exe").c_str(), &file) == 0 ? file.st_ino : 0;
}

}  // namespace

process_watch::process_watch(std::vector<pid_t> processes, listener on_event, std::optional<std::chrono::nanoseconds> stopped_limit)
    : on_event_(std::move(on_event)), wake_(::eventfd(0, EFD_CLOEXEC)) {
  if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  if (stopped_limit) stopped_limit_ = std::max<std::int64_t>(1, *stopped_limit / look_interval);
  for (const pid_t process : processes) {
    watched& w = watched_.emplace_back(watched{.process = process, .handle = open_pidfd(process), .program = program_of(process)});
    if (w.handle < 0) needs_polling_ = true;
  }
  thread_ = std::thread([this] { run(); });
}

process_watch::~process_watch() {
  const std::uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof one);
  thread_.join();
  ::close(wake_);
  for (const watched& w : watched_) {
    if (w.handle >= 0) ::close(w.handle);
  }
}

void process_watch::run() {
  auto next_look = clock::now() + look_interval;
  std::vector<pollfd> events;
  for (;;) {
    events.assign(1, {wake_, POLLIN, 0});
    for (const watched& w : watched_) {
      if (w.handle >= 0) events.push_back({w.handle, POLLIN, 0});
    }
    const auto wait = needs_polling_ ? std::chrono::milliseconds(interval_without_pidfd)
                                     : std::chrono::ceil<std::chrono::milliseconds>(next_look - clock::now());
    const int ready = ::poll(events.data(), events.size(), std::max(0, static_cast<int>(wait.count())));
    if (ready > 0 && events[0].revents != 0) return;
    const auto now = clock::now();
    const bool is_due = now >= next_look;
    if (is_due) next_look = now + look_interval;
    std::size_t at = 1;
    std::erase_if(watched_, [&](watched& w) {
      const bool has_ended = w.handle >= 0 && ready > 0 && events[at].revents != 0;
      if (w.handle >= 0) ++at;
      if (has_ended) {
        report(w, event::ended);
        return true;
      }
      return (is_due || w.handle < 0) && look_up(w, is_due);
    });
  }
}

// Returns whether it has reported the process. `is_due`: the time of a look has passed.
bool process_watch::look_up(watched& w, bool is_due) {
  const auto found = find_process(w.process);
  if (w.handle < 0 && (!found || !found->is_running())) {
    report(w, event::ended);
    return true;
  }
  if (!is_due || !found) return false;
  if (const ino_t now = program_of(w.process); now != 0 && w.program != 0 && now != w.program) {
    report(w, event::replaced);
    return true;
  }
  const bool is_stopped = found->state == 'T';
  w.stopped = is_stopped ? w.stopped + 1 : 0;
  if (stopped_limit_ < 0 || w.stopped < stopped_limit_) return false;
  report(w, event::stopped);
  return true;
}

void process_watch::report(watched& w, event what) {
  if (w.handle >= 0) ::close(std::exchange(w.handle, -1));
  on_event_(w.process, what);
}

}  // namespace rankpool::detail
