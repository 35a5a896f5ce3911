// Log lines on stderr. A line is written by one system call, so that lines of several threads do not mix.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace rankpool::detail {

/// Writes "rankpool: ", the text and a line end to stderr, in one system call.
void log_line(std::string_view text);

/// Returns a description of an exception, such as "std::runtime_error: message", with its origin and its nested exceptions.
std::string describe(const std::exception_ptr& e);

}  // namespace rankpool::detail
