// Implements gates and marks as files.
#include "support/gate.hpp"

#include "support/cluster.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace support {
namespace {
constexpr std::chrono::milliseconds poll_interval{1};
constexpr std::chrono::seconds gate_timeout{20};
}  // namespace

gate::gate() {
  if (is_inline()) open();
}

void gate::open() { leave_mark(path()); }

int pass(const std::string& path, int value) {
  const auto directory = std::filesystem::path(path).parent_path();
  const bool open = eventually(
      // A gate whose directory was removed counts as open: rank 0 has destroyed it without waiting for this task.
      [&] { return access(path.c_str(), F_OK) == 0 || access(directory.c_str(), F_OK) != 0; }, gate_timeout);
  if (!open) throw std::runtime_error("nobody opened the gate " + path);
  return value;
}

bool leave_mark(const std::string& path) {
  const int file = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return false;
  close(file);
  return true;
}

int mark_and_pass(const std::string& mark, const std::string& path, int value) {
  leave_mark(mark);
  return pass(path, value);
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return condition();
    std::this_thread::sleep_for(poll_interval);
  }
  return true;
}

}  // namespace support
