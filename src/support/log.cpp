// Writes log lines to stderr, and describes exceptions in one line.
#include "support/log.hpp"

#include "support/demangle.hpp"

#include <cxxabi.h>
#include <unistd.h>

#include <exception>
#include <typeinfo>

#include <rankpool/errors.hpp>

namespace rankpool::detail {

void log_line(std::string_view text) {
  std::string line = "rankpool: ";
  line += text;
  line += '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());  // a failure cannot be reported anywhere
}

namespace {

constexpr int max_causes = 8;

// Describes the exception that is being handled, and those nested in it.
std::string describe_current(int depth) {
  std::string text;
  try {
    throw;
  } catch (const std::exception& x) {
    const remote_info* where = remote_context(x);
    const char* what = x.what();
    const bool is_named = dynamic_cast<const remote_error*>(&x) != nullptr && where != nullptr;  // its message contains the type
    if (!is_named) text = (where == nullptr ? thrown_type_name(typeid(x)) : where->type_name) + ": ";
    text += what == nullptr ? "" : what;
    // worker_lost and its kin name their task themselves.
    const bool names_task = where != nullptr && text.find("task " + std::to_string(where->task) + " on rank ") != text.npos;
    if (!names_task && where != nullptr && depth == 0) {
      text += " (task " + std::to_string(where->task) + " on rank " + std::to_string(where->rank) + ", " + where->host + ")";
    }
    try {
      std::rethrow_if_nested(x);
    } catch (...) {
      if (depth < max_causes) text += "; caused by " + describe_current(depth + 1);
    }
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    text = type == nullptr ? "an unknown exception" : "an exception of type " + thrown_type_name(*type);
  }
  return text;
}

}  // namespace

std::string describe(const std::exception_ptr& e) {
  if (e == nullptr) return "no exception";
  try {
    std::rethrow_exception(e);
  } catch (...) {
    return describe_current(0);
  }
}

}  // namespace rankpool::detail
