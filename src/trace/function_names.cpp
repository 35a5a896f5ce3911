#include "trace/function_names.hpp"

#include "support/function_name.hpp"

#include <rankpool/detail/scheduler/job.hpp>
#include <rankpool/errors.hpp>

#include <nlohmann/json.hpp>

#include <string_view>

namespace rankpool::detail {
namespace {

constexpr char mark = '\1';  // no name begins with it
constexpr std::string_view mark_in_json = "\"\\u0001";

}  // namespace

std::size_t function_names::number_of(const job& work) {
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] = numbers_.emplace(function(work.function, work.identity), functions_.size());
  if (is_new) functions_.push_back(found->first);
  return found->second;
}

std::string function_names::reference(std::size_t number) { return std::string(1, mark).append(std::to_string(number)); }

std::string function_names::reference_in_json(std::size_t number) {
  return std::string(mark_in_json).append(std::to_string(number)).append("\"");
}

void function_names::resolve(std::string& events) {
  std::string resolved;
  std::size_t done = 0;
  for (std::size_t at = 0; (at = events.find(mark_in_json, done)) != std::string::npos;) {
    resolved.append(events, done, at - done);
    const std::size_t digits = at + mark_in_json.size();
    done = events.find('"', digits) + 1;
    const std::size_t number = std::stoul(events.substr(digits, done - digits));
    std::string& text = names_[number];
    if (text.empty()) text = nlohmann::json(name(number)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    resolved += text;
  }
  if (done == 0) return;
  events = resolved.append(events, done);
}

std::string function_names::name(std::size_t number) {
  function f;
  {
    const std::lock_guard lock(mutex_);
    f = functions_[number];
  }
  std::string found;
  try {
    found = symbol_name(f.second);  // of a function pointer; otherwise, the name of the task_function contains the type
    if (found.empty()) found = symbol_name(reinterpret_cast<std::uintptr_t>(resolve_code(f.first)));
  } catch (const error&) {  // its library was unloaded
  }
  if (found.empty()) found = "unknown function";
  return short_name(found);
}

}  // namespace rankpool::detail
