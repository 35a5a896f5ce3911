// A limit on the address space of the calling process, for tests of out-of-memory errors.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace support {

/// Limits the memory of this process to `more_bytes` in addition to its present memory.
inline void limit_memory(rlim_t more_bytes) {
  std::ifstream in("/proc/self/statm");
  rlim_t pages = 0;
  in >> pages;
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + more_bytes;
  setrlimit(RLIMIT_AS, &limit);
}

inline void lift_memory_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_AS, &limit);
}

}  // namespace support
