// Formats JSON on a single line, for any bytes in a text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace jobs {

/// Returns `value` as JSON. Bytes that are not UTF-8, as commands may print, become U+FFFD.
template <class Value>
std::string json_of(const Value& value) {
  return nlohmann::ordered_json(value).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace jobs
