// Numbers are written by std::to_chars, because printf() depends on the locale of the program.
#include "trace/frequent_event.hpp"

#include <array>
#include <charconv>

namespace rankpool::detail {
namespace {

constexpr std::string_view separator = ",";

void append(std::string& json, std::int64_t number) {
  std::array<char, 24> digits{};
  json.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

void append_thousandths(std::string& json, std::uint64_t number) {
  append(json, static_cast<std::int64_t>(number / 1000));
  const std::uint64_t rest = 1000 + number % 1000;
  std::array<char, 8> digits{};
  std::to_chars(digits.data(), digits.data() + digits.size(), rest);
  digits[0] = '.';
  json.append(digits.data(), 4);
}

std::string begin_of(char phase, std::string_view name, event_track where, std::chrono::nanoseconds when) {
  std::string json;
  json.reserve(320);
  json.append(R"({"ph":")").append(1, phase).append(R"(","name":)").append(name).append(R"(,"pid":)");
  append(json, where.process);
  json.append(R"(,"tid":)");
  append(json, where.thread);
  json.append(separator);
  event_argument("ts", when).append_to(json);
  return json;
}

void append_arguments(std::string& json, std::initializer_list<event_argument> arguments) {
  json.append(R"(,"args":{)");
  bool is_first = true;
  for (const event_argument& each : arguments) {
    if (!is_first) json.append(separator);
    is_first = false;
    each.append_to(json);
  }
  json.append("}}");
}

}  // namespace

void event_argument::append_to(std::string& json) const {
  json.append(1, '"').append(name_).append("\":");
  is_whole_ ? append(json, static_cast<std::int64_t>(thousandths_)) : append_thousandths(json, thousandths_);
}

std::string slice_event(std::string_view name, event_track where, std::chrono::nanoseconds begin, std::chrono::nanoseconds end,
                        std::initializer_list<event_argument> arguments) {
  std::string json = begin_of('X', name, where, begin);
  json.append(separator);
  event_argument("dur", end - begin).append_to(json);
  append_arguments(json, arguments);
  return json;
}

std::string counter_event(std::string_view name, event_track where, std::chrono::nanoseconds when,
                          std::initializer_list<event_argument> values) {
  std::string json = begin_of('C', std::string("\"").append(name).append("\""), where, when);
  append_arguments(json, values);
  return json;
}

}  // namespace rankpool::detail
