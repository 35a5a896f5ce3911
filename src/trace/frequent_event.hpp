// The text of the events that a trace has most of: slices and counters. nlohmann::json writes all other events, and would take
// several times as long, on rank 0's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace rankpool::detail {

/// An argument of an event: a name, and a number with three decimals or none.
class event_argument {
 public:
  event_argument(std::string_view name, std::uint64_t number) : name_(name), thousandths_(number), is_whole_(true) {}
  /// In microseconds.
  event_argument(std::string_view name, std::chrono::nanoseconds time)
      : name_(name), thousandths_(static_cast<std::uint64_t>(time.count())) {}
  /// A number that is not negative.
  event_argument(std::string_view name, double number) : name_(name), thousandths_(static_cast<std::uint64_t>(number * 1000)) {}

  void append_to(std::string& json) const;

 private:
  std::string_view name_;
  std::uint64_t thousandths_;  // or the whole number
  bool is_whole_ = false;
};

/// The track of an event.
struct event_track {
  int process = 0;
  int thread = 0;
};

/// Returns the JSON of a slice. `name`: a JSON string. Times are not negative.
std::string slice_event(std::string_view name, event_track where, std::chrono::nanoseconds begin, std::chrono::nanoseconds end,
                        std::initializer_list<event_argument> arguments);

/// Returns the JSON of a counter. `name`: without characters that JSON escapes.
std::string counter_event(std::string_view name, event_track where, std::chrono::nanoseconds when,
                          std::initializer_list<event_argument> values);

}  // namespace rankpool::detail
