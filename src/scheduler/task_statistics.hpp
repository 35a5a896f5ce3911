// Measured times: of one kind of task, and of one worker compared with the others.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rankpool::detail {

/// Time and size of one kind of task; recent chunks count more.
class task_statistics {
 public:
  void add(std::uint64_t items, double nanoseconds, std::size_t result_bytes);
  bool has_data() const { return items_ > 0; }
  double nanoseconds_per_item() const { return nanoseconds_per_item_; }
  double result_bytes_per_item() const { return bytes_per_item_; }

 private:
  double items_ = 0;
  double nanoseconds_ = 0;
  double bytes_ = 0;
  double nanoseconds_per_item_ = 0;
  double bytes_per_item_ = 0;
};

/// How much longer a worker takes than others do, over its last tasks. Long tasks weigh more than short ones, so tasks of one
/// kind may differ widely.
class worker_speed {
 public:
  void add(double expected_nanoseconds, double measured_nanoseconds);
  double slowness() const { return slowness_; }

 private:
  static constexpr double memory_nanoseconds = 20e6;
  double expected_ = memory_nanoseconds / 4;  // as others, until there are measurements
  double measured_ = memory_nanoseconds / 4;
  double slowness_ = 1;
};

}  // namespace rankpool::detail
