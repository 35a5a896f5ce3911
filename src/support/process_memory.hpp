// Reads the memory of another process of this user: large arrays are copied once, not through shared memory.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>

namespace rankpool::detail {

/// Returns whether the system lets a process read others that are not its descendants.
inline bool may_read_siblings() {
  std::ifstream restriction("/proc/sys/kernel/yama/ptrace_scope");
  char level = '0';
  return !(restriction >> level) || level == '0';
}

/// Copies memory that begins at `address` in process `pid`. Returns false if the process has ended, or the system does not allow
/// it: a process may read its descendants, others only where the kernel has no ptrace restrictions.
inline bool read_memory(pid_t pid, std::uint64_t address, std::span<std::byte> to) {
  constexpr std::size_t most = std::size_t{1} << 30;  // of one call
  while (!to.empty()) {
    iovec here{to.data(), std::min(to.size(), most)};
    iovec there{reinterpret_cast<void*>(address), here.iov_len};
    const ssize_t n = process_vm_readv(pid, &here, 1, &there, 1, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    to = to.subspan(static_cast<std::size_t>(n));
    address += static_cast<std::uint64_t>(n);
  }
  return true;
}

}  // namespace rankpool::detail
