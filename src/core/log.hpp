// One line on stderr, whole, whatever other threads print.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace rankpool::detail {

/// Writes "rankpool: <text>" and a line end to stderr in one system call.
void log_line(std::string_view text);

/// "std::runtime_error: message" of an exception.
std::string describe(const std::exception_ptr& e);

}  // namespace rankpool::detail
