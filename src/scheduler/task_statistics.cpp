#include "scheduler/task_statistics.hpp"

#include <algorithm>

namespace rankpool::detail {

void task_statistics::add(std::uint64_t items, double nanoseconds, std::size_t result_bytes) {
  constexpr double memory_nanoseconds = 50e6;  // older measurements fade
  items_ += static_cast<double>(items);
  nanoseconds_ += nanoseconds;
  bytes_ += static_cast<double>(result_bytes);
  if (nanoseconds_ > memory_nanoseconds && items_ > 1) {
    items_ /= 2;
    nanoseconds_ /= 2;
    bytes_ /= 2;
  }
  nanoseconds_per_item_ = nanoseconds_ / items_;
  bytes_per_item_ = bytes_ / items_;
}

void worker_speed::add(double expected_nanoseconds, double measured_nanoseconds) {
  expected_ += expected_nanoseconds;
  measured_ += measured_nanoseconds;
  if (expected_ > memory_nanoseconds) {
    expected_ /= 2;
    measured_ /= 2;
  }
  slowness_ = std::clamp(measured_ / expected_, 0.1, 10.0);
}

}  // namespace rankpool::detail
