// JSON as this command writes it: on one line, whatever bytes a text holds.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace jobs {

/// A text, a number or a whole object. Bytes that are no UTF-8, which a command may well print, become U+FFFD.
template <class Value>
std::string json_of(const Value& value) {
  return nlohmann::ordered_json(value).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace jobs
