// Copies a pipe to a descriptor in a thread that may outlive its owner.
#include "mpi/output_copier.hpp"

#include "mpi/launcher_report.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace rankpool::detail {
namespace {

void set_event(int event) {
  const std::uint64_t one = 1;
  (void)!::write(event, &one, sizeof one);
}

}  // namespace

struct output_copier::state {
  state(int where, bool removes_reports) : to(where), input_ended(::eventfd(0, EFD_CLOEXEC)), finished(::eventfd(0, EFD_CLOEXEC)) {
    if (input_ended < 0 || finished < 0 || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "cannot copy the output of ranks");
    }
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    if (removes_reports) filter.emplace();
  }
  ~state() {
    for (const int descriptor : {ends[0], ends[1], input_ended, finished}) {
      if (descriptor >= 0) ::close(descriptor);
    }
  }

  const int to;
  const int input_ended;  // an eventfd: no process writes to the pipe any more
  const int finished;     // an eventfd
  std::array<int, 2> ends{-1, -1};
  std::optional<launcher_report_filter> filter;  // only the thread uses it
  std::atomic<int> error = 0;
  std::atomic<std::uint64_t> copied = 0;
  std::atomic<bool> discards = false;
};

output_copier::output_copier(int to, bool removes_reports) : state_(std::make_shared<state>(to, removes_reports)) {
  thread_ = std::thread([s = state_] {
    copy(*s);
    if (s->filter) write(*s, s->filter->finish());
    set_event(s->finished);
  });
}

output_copier::~output_copier() {
  finish();
  thread_.detach();
}

int output_copier::input() const { return state_->ends[1]; }

void output_copier::close_input() { ::close(std::exchange(state_->ends[1], -1)); }

void output_copier::finish() { set_event(state_->input_ended); }

void output_copier::discard() { state_->discards = true; }

int output_copier::finished() const { return state_->finished; }

bool output_copier::is_empty() const {
  int bytes = 0;
  return ::ioctl(state_->ends[0], FIONREAD, &bytes) == 0 && bytes == 0;
}

std::uint64_t output_copier::copied_bytes() const { return state_->copied; }

int output_copier::error() const { return state_->error; }

void output_copier::copy(state& s) {
  std::array<char, 65536> buffer;
  for (bool is_last = false;;) {
    const ssize_t got = ::read(s.ends[0], buffer.data(), buffer.size());
    if (got == 0) return;
    if (got < 0 && errno != EAGAIN && errno != EINTR) return;
    if (got < 0) {
      if (is_last) return;
      std::array<pollfd, 2> events{pollfd{s.ends[0], POLLIN, 0}, pollfd{s.input_ended, POLLIN, 0}};
      if (::poll(events.data(), events.size(), -1) > 0) is_last = events[1].revents != 0;
      continue;
    }
    s.copied += static_cast<std::uint64_t>(got);
    const std::string_view input(buffer.data(), static_cast<std::size_t>(got));
    if (s.filter) {
      write(s, s.filter->pass(input));
    } else {
      write(s, input);
    }
  }
}

void output_copier::write(state& s, std::string_view text) {
  while (!text.empty() && s.error == 0 && !s.discards) {
    const ssize_t written = ::write(s.to, text.data(), text.size());
    if (written >= 0) text.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR) s.error = errno;  // EPIPE also raises SIGPIPE
  }
}

}  // namespace rankpool::detail
