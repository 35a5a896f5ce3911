#include "exec/command_guard.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "exec/environment.hpp"
#include "exec/process.hpp"

namespace jobs {
namespace {

// Nothing is written to the guard's stdin: it reaches its end when the worker dies. SIGTERM comes first, so commands can clean up.
constexpr const char* script =
    "trap '' HUP INT TERM\n"
    "read -r end\n"
    "read -r group <&3\n"
    "[ \"$group\" -gt 1 ] || exit 0\n"
    "kill -TERM \"-$group\" || exit 0\n"
    "sleep 0.5\n"
    "kill -KILL \"-$group\"\n";

[[noreturn]] void fail_with(int error, const char* what) { throw std::system_error(error, std::generic_category(), what); }

}  // namespace

command_guard& command_guard::of_this_process() {
  static command_guard guard;
  return guard;
}

command_guard::command_guard() {
  note_ = above_standard_streams(::memfd_create("rankpool-exec", MFD_CLOEXEC));
  if (note_ < 0) fail_with(errno, "cannot guard commands: memfd_create");
  release();
  std::array<int, 2> life{};  // only this process holds the write end; it closes when the process dies
  if (::pipe2(life.data(), O_CLOEXEC) != 0) fail_with(errno, "cannot guard commands: pipe");
  for (int& end : life) end = above_standard_streams(end);

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  // The first dup2 could overwrite the second's descriptor, so the descriptors move by way of a third number.
  ::posix_spawn_file_actions_adddup2(&files, life[0], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, note_, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, 3);
  ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&files, 4);
  std::array<const char*, 4> words{"sh", "-c", script, nullptr};
  pid_t pid = 0;
  const int failure =
      ::posix_spawn(&pid, "/bin/sh", &files, &attributes, const_cast<char* const*>(words.data()), command_environment());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  ::close(life[0]);
  if (failure != 0) fail_with(failure, "cannot guard commands: /bin/sh");
}

void command_guard::watch(pid_t group) {
  std::array<char, 16> text{};
  const int length = std::snprintf(text.data(), text.size(), "%10d\n", group);
  (void)!::pwrite(note_, text.data(), static_cast<std::size_t>(length), 0);
}

void command_guard::release() { watch(0); }

}  // namespace jobs
