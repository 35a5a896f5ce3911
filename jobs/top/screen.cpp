#include "top/screen.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "engine/output.hpp"
#include "support/file_io.hpp"

namespace jobs {
namespace {

// Escape sequences of terminals.
constexpr const char* enter = "\x1b[?1049h\x1b[?25l";  // the other screen, without the cursor
constexpr const char* leave = "\x1b[?25h\x1b[?1049l";
constexpr const char* to_top = "\x1b[H";
constexpr const char* clear_line = "\x1b[K";
constexpr const char* clear_rest = "\x1b[J";

void print(const std::string& text) {
  if (const int error = write_all(STDOUT_FILENO, text); error != 0) {
    throw output_error(error, std::generic_category(), "cannot write standard output");
  }
}

}  // namespace

screen::screen() {
  sigset_t taken;
  ::sigemptyset(&taken);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) ::sigaddset(&taken, signal);
  signals_ = ::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) throw std::system_error(errno, std::generic_category(), "cannot wait for signals: signalfd");
  ::sigprocmask(SIG_BLOCK, &taken, &earlier_mask_);
  termios settings{};
  if (::tcgetattr(STDIN_FILENO, &settings) == 0) {
    earlier_settings_ = settings;
    settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);  // without Ctrl-Z, which would leave the other screen
    ::tcsetattr(STDIN_FILENO, TCSANOW, &settings);
  }
  (void)write_all(STDOUT_FILENO, enter);  // show() reports an error
}

screen::~screen() {
  (void)write_all(STDOUT_FILENO, leave);
  if (earlier_settings_) ::tcsetattr(STDIN_FILENO, TCSANOW, &*earlier_settings_);
  ::sigprocmask(SIG_SETMASK, &earlier_mask_, nullptr);
  ::close(signals_);
}

page_size screen::size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {80, 24};
  return {size.ws_col, size.ws_row};
}

void screen::show(const std::string& page) const {
  std::string shown = to_top;
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t end = std::min(page.find('\n', at), page.size());
    if (at > 0) shown += '\n';  // not after the last line, which would scroll the screen
    shown.append(page, at, end - at).append(clear_line);
    at = end + 1;
  }
  print(shown + clear_rest);
}

std::optional<int> screen::wait(std::chrono::milliseconds time) {
  std::array events{pollfd{signals_, POLLIN, 0}, pollfd{earlier_settings_ ? STDIN_FILENO : -1, POLLIN, 0}};
  const int ready = ::poll(events.data(), events.size(), static_cast<int>(time.count()));
  if (ready <= 0) return std::nullopt;
  if (events[0].revents != 0) {
    if (const auto status = take_signal()) return status;
  }
  return events[1].revents != 0 ? take_key() : std::nullopt;
}

std::optional<int> screen::take_signal() {
  signalfd_siginfo info{};
  if (::read(signals_, &info, sizeof info) != sizeof info || info.ssi_signo == SIGWINCH) return std::nullopt;
  return info.ssi_signo == SIGINT ? 0 : 128 + static_cast<int>(info.ssi_signo);
}

std::optional<int> screen::take_key() {
  constexpr char interrupt = 3;  // Ctrl-C
  std::array<char, 64> keys{};
  const ssize_t n = ::read(STDIN_FILENO, keys.data(), keys.size());
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return std::nullopt;
  const bool ends =
      n <= 0 || std::any_of(keys.begin(), keys.begin() + n, [](char key) { return key == 'q' || key == 'Q' || key == interrupt; });
  return ends ? std::optional(0) : std::nullopt;
}

}  // namespace jobs
