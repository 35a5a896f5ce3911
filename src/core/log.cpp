#include "log.hpp"

#include "demangle.hpp"

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
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());  // nobody to tell if this fails
}

std::string describe(const std::exception_ptr& e) {
  if (e == nullptr) return "no exception";
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& x) {
    const remote_info* where = remote_context(x);
    const bool named = where != nullptr && dynamic_cast<const remote_error*>(&x) == nullptr;
    if (where == nullptr) return demangle(typeid(x).name()) + ": " + x.what();
    return (named ? where->type_name + ": " : std::string()) + x.what() + " (task " + std::to_string(where->task) +
           " on rank " + std::to_string(where->rank) + ", " + where->host + ")";
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    return type == nullptr ? "an unknown exception" : "an exception of type " + demangle(type->name());
  }
}

}  // namespace rankpool::detail
