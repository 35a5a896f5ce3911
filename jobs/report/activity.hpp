// When each worker computed, in a fixed number of columns however long the run is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace jobs {

/// Times are in seconds since the start of the run.
class activity {
 public:
  static constexpr std::size_t columns = 512;

  /// What a worker did in the time of one column.
  struct column {
    float busy = 0;              ///< seconds
    std::uint32_t function = 0;  ///< which took most of it
    float lead = 0;              ///< seconds by which that function exceeds the others together; an estimate
  };
  using row = std::vector<column>;

  /// Adds time that a worker spent in a function. Work beyond the last column makes all columns wider.
  void add(std::size_t worker, double begin, double end, double busy, std::uint32_t function, std::uint64_t tasks);

  double seconds_per_column() const { return width_; }
  /// Returns the number of columns until the time `end`, at most `columns`.
  std::size_t columns_until(double end) const;
  /// Returns the columns of a worker; empty if it did nothing.
  const row& of(std::size_t worker) const;
  std::size_t workers() const { return rows_.size(); }
  /// Returns the number of tasks that ended in each column. The tasks of an entry are spread over its time.
  const std::vector<double>& tasks() const { return tasks_; }

 private:
  void widen();
  static void add(column& to, float busy, std::uint32_t function, float lead);

  double width_ = 1e-5;
  std::vector<row> rows_;
  std::vector<double> tasks_ = std::vector<double>(columns);
};

}  // namespace jobs
