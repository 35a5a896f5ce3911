#include <rankpool/detail/support/steady_time.hpp>

namespace rankpool::detail {

steady_time deadline_after(const timeout& t) {
  if (!t) return steady_time::max();
  const auto now = std::chrono::steady_clock::now();
  return *t > steady_time::max() - now ? steady_time::max() : now + *t;
}

}  // namespace rankpool::detail
