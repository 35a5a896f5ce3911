// Counts the forks that separate this process from its ancestors.
#include "runner/copy_guard.hpp"

#include <pthread.h>
#include <unistd.h>

#include <string_view>

namespace rankpool::detail {

std::uint32_t copy_guard::current = 0;

copy_guard::copy_guard() : generation_(current) {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++current; });
  (void)registered;
}

void copy_guard::end_copy() {
  // Without log_line(), whose lock another thread of the original process may have held.
  constexpr std::string_view line =
      "rankpool: a task forked a process that returned from the task; this process ends, and the original one continues: "
      "call _exit() in the child process\n";
  (void)!write(STDERR_FILENO, line.data(), line.size());
  _exit(1);
}

}  // namespace rankpool::detail
